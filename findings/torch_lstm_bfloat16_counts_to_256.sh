#!/usr/bin/env bash
# Seen on 2026-11-29 with torch 2.13.0 (CPU), Python 3.11, Linux, on a processor with AVX-512 BF16; without one, the script
# says so and ends with 2.
#
# An LSTM of one unit has all its gates open, so that it adds 1 to its cell state at each step. Under torch.autocast in
# bfloat16 the state is kept in bfloat16 between the steps, and 256 + 1 rounds to 256 there: it never counts further,
# however long the sequence is. In float32 it counts every step. nn.LSTM has no option to keep the state in float32, and
# nothing is raised or printed. Autocast is usually understood to make only the products less exact.
#
# So in bfloat16 a unit that sums over hundreds of steps loses what it adds, where it would not in float32.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cat > "$folder/count.py" <<'PY'
import sys

import torch
from torch import nn

if not torch.cpu._is_avx512_bf16_supported():
    print("this processor has no AVX-512 BF16")
    sys.exit(2)
layer = nn.LSTM(1, 1)
with torch.no_grad():
    for weight in layer.parameters():
        weight.zero_()
    layer.bias_ih_l0.fill_(20)  # the sigmoids of the gates, and the tanh of the input, are 1
    for steps in (100, 256, 257, 1000):
        states = []
        for enabled in (False, True):
            with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
                states.append(float(layer(torch.zeros(steps, 1, 1))[1][1]))
        print(f"{steps} steps: {states[0]:g} in float32, {states[1]:g} in bfloat16")
PY
found=$("$folder/venv/bin/python" "$folder/count.py")
expected='100 steps: 100 in float32, 100 in bfloat16
256 steps: 256 in float32, 256 in bfloat16
257 steps: 257 in float32, 256 in bfloat16
1000 steps: 1000 in float32, 256 in bfloat16'
printf '%s\n' "$found"
[ "$found" = "$expected" ] || { echo "the behaviour has changed; it was:"; printf '%s\n' "$expected"; exit 1; }
