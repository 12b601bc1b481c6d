#!/usr/bin/env bash
# Seen on 2026-11-28 with torch 2.13.0 (CPU), Python 3.11, Linux.
#
# torch is set to two threads, and OpenMP gives one: OMP_THREAD_LIMIT=1, as a batch system may set it, or OMP_DYNAMIC=true
# on a busy machine. `nn.LSTM` in float32 then returns another output, 90 % off in norm, whenever autograd records, and
# gradients 90 to 100 % off. Nothing is raised or printed, and the training goes on. Without autograd the same layer on the
# same input is right, and so is the same layer in float64.
#
# So a training should count the threads that come before it starts, and compare them with torch.get_num_threads().
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cat > "$folder/lstm_with_fewer_threads.py" <<'PY'
import os

import torch
from torch import nn

torch.set_num_threads(2)
torch.manual_seed(0)
images = torch.rand(128, 28, 28)
layer = nn.LSTM(28, 128, batch_first=True)
exact = nn.LSTM(28, 128, batch_first=True).double()
exact.load_state_dict({name: weights.double() for name, weights in layer.state_dict().items()})


def off(found, right):
    return ((found.double() - right).norm() / right.norm()).item()


with torch.no_grad():
    inference = layer(images)[0]
output, right = layer(images)[0], exact(images.double())[0]
output[:, -1].square().sum().backward()
right[:, -1].square().sum().backward()
gradient, right_gradient = layer.weight_hh_l0.grad, exact.weight_hh_l0.grad
print(
    f"limit {os.environ.get('OMP_THREAD_LIMIT')}: inference {off(inference, right):.1f},",
    f"training {off(output.detach(), right):.1f}, gradient {off(gradient, right_gradient):.1f} off",
)
PY
found=$("$folder/venv/bin/python" "$folder/lstm_with_fewer_threads.py"
    OMP_THREAD_LIMIT=1 "$folder/venv/bin/python" "$folder/lstm_with_fewer_threads.py")
expected='limit None: inference 0.0, training 0.0, gradient 0.0 off
limit 1: inference 0.0, training 0.9, gradient 1.0 off'
printf '%s\n' "$found"
[ "$found" = "$expected" ] || { echo "the behaviour has changed; it was:"; printf '%s\n' "$expected"; exit 1; }
