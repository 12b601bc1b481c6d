#!/usr/bin/env bash
# Seen on 2026-11-28 with safetensors 0.8.0, numpy 2.4.6, Python 3.11, Linux.
#
# `safetensors.numpy.save` writes the same tensors with the same metadata of eight keys twenty times in one process: twenty
# different byte strings, as the keys of the metadata stand in the header in random order. With one key, or none, all are
# equal, also where the tensors are given in another order.
#
# So a file that should have one digest needs one key at most, with JSON in it, say.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check safetensors==0.8.0 numpy==2.4.6
cat > "$folder/order_of_metadata.py" <<'PY'
import numpy as np
from safetensors.numpy import save

weights = {"second": np.zeros(3, np.float32), "first": np.ones(3, np.float32)}
for keys in (8, 1):
    metadata = {f"key{number}": "value" for number in range(keys)}
    print(f"{keys} keys: {len({save(weights, metadata) for _ in range(20)}) > 1}")
backwards = dict(reversed(weights.items()))
print(f"tensors in another order: {save(weights) != save(backwards)}")
PY
found=$("$folder/venv/bin/python" "$folder/order_of_metadata.py")
expected='8 keys: True
1 keys: False
tensors in another order: False'
printf '%s\n' "$found"
[ "$found" = "$expected" ] || { echo "the behaviour has changed; it was:"; printf '%s\n' "$expected"; exit 1; }
