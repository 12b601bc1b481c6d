#!/usr/bin/env bash
# Seen on 2026-11-28 with torch 2.13.0 (CPU), Python 3.11, Linux.
#
# One thread classifies the same 256 images with an LSTM again and again, and each answer has the same bits. Meanwhile the
# main thread exports a copy of the network. `torch.export` switches oneDNN off while it works, and the switch is one for
# the process: part of the answers that the first thread computes in this time have other last bits.
#
# So an export should not run in a process whose other threads compute results that are compared bit by bit.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cat > "$folder/export_beside_inference.py" <<'PY'
import copy
import logging
import threading
import time
import warnings

import torch
from torch import nn

warnings.simplefilter("ignore")
logging.disable()


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.recurrent = nn.LSTM(28, 128, batch_first=True)
        self.head = nn.Linear(128, 10)

    def forward(self, images):
        return self.head(self.recurrent(images)[0][:, -1])


torch.manual_seed(0)
network, images = Reader().eval(), torch.rand(256, 28, 28)
copied = copy.deepcopy(network)
with torch.no_grad():
    right = network(images)
equal, stop = [], threading.Event()


def classify():
    with torch.no_grad():
        while not stop.is_set():
            equal.append(torch.equal(network(images), right))


thread = threading.Thread(target=classify)
thread.start()
time.sleep(1)
alone = len(equal)
torch.export.export(copied, (images[:2],), dynamic_shapes=({0: torch.export.Dim("images")},))
during = len(equal)
stop.set()
thread.join()
print(f"all equal before: {all(equal[:alone])}; while the copy was exported: {all(equal[alone:during])}")
PY
found=$(OMP_NUM_THREADS=1 "$folder/venv/bin/python" "$folder/export_beside_inference.py")
expected='all equal before: True; while the copy was exported: False'
printf '%s\n' "$found"
[ "$found" = "$expected" ] || { echo "the behaviour has changed; it was:"; printf '%s\n' "$expected"; exit 1; }
