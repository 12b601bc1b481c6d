#!/usr/bin/env bash
# Seen on 2026-11-28 with torch 2.13.0 (CPU), Python 3.11, Linux.
#
# The first optimiser that a process builds, even SGD for one number, imports torch._dynamo, the compiler's front end, with
# more than 500 other modules, whether or not anything is ever compiled. It takes 1 to 2 s of one core, as much as 100
# updates of an LSTM of 128 units on MNIST.
#
# So a short training, a test or a sweep of many processes gains by update functions of its own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cat > "$folder/first_optimizer.py" <<'PY'
import sys

import torch

weight = torch.nn.Parameter(torch.zeros(1))
before = set(sys.modules)
torch.optim.SGD([weight], lr=0.1)
new = set(sys.modules) - before
print(f"before: {'torch._dynamo' in before}; after: {'torch._dynamo' in new}; over 500 new modules: {len(new) > 500}")
PY
found=$("$folder/venv/bin/python" "$folder/first_optimizer.py")
expected='before: False; after: True; over 500 new modules: True'
printf '%s\n' "$found"
[ "$found" = "$expected" ] || { echo "the behaviour has changed; it was:"; printf '%s\n' "$expected"; exit 1; }
