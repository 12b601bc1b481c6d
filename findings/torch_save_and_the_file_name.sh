#!/usr/bin/env bash
# Seen on 2026-11-28 with torch 2.13.0 (CPU), Python 3.11, Linux.
#
# `torch.save` of the same weights to first.pt and second.pt writes different bytes, as the archive holds the stem of the
# file's name. Under the same name in another folder the bytes are the same, and so they are through a BytesIO.
#
# So weights should be compared by a digest of the tensors, or be written through a buffer; a tool that hashes files sees
# two models where one was copied under two names.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cat > "$folder/save_and_the_file_name.py" <<'PY'
import io
import sys
from pathlib import Path

import torch

folder, weights = Path(sys.argv[1]), {"weight": torch.zeros(3)}


def written(to):
    torch.save(weights, to)
    return to.getvalue() if isinstance(to, io.BytesIO) else to.read_bytes()


(folder / "other").mkdir()
first = written(folder / "first.pt")
print(f"another name: {written(folder / 'second.pt') == first}")
print(f"another folder: {written(folder / 'other' / 'first.pt') == first}")
print(f"two buffers: {written(io.BytesIO()) == written(io.BytesIO())}")
PY
found=$("$folder/venv/bin/python" "$folder/save_and_the_file_name.py" "$folder")
expected='another name: False
another folder: True
two buffers: True'
printf '%s\n' "$found"
[ "$found" = "$expected" ] || { echo "the behaviour has changed; it was:"; printf '%s\n' "$expected"; exit 1; }
