#!/usr/bin/env bash
# Seen on 2026-11-28 with torch 2.13.0 (CPU), Python 3.11, Linux, two cores.
#
# The sum of 32,768 float32 numbers has the same bits on one thread and on two. That of 32,769 numbers differs in 30 % and
# more of 200 draws: from there on each thread sums a part. The mean is computed likewise. The norm that
# `clip_grad_norm_` takes, LSTM layers and cross-entropy have the same bits for both.
#
# So a metric or a penalty that is summed over all weights (82,000 in an LSTM of 128 units) makes a run depend on the number
# of threads, where the training itself may not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cat > "$folder/sum_and_threads.py" <<'PY'
import torch


def total(numbers, threads):
    torch.set_num_threads(threads)
    return numbers.sum().item()


for count in (32_768, 32_769):
    draws = [torch.rand(count, generator=torch.Generator().manual_seed(seed)) for seed in range(200)]
    differ = sum(total(numbers, 1) != total(numbers, 2) for numbers in draws)
    print(f"{count} numbers: sums on 1 and 2 threads differ: {differ > 0}")
PY
found=$("$folder/venv/bin/python" "$folder/sum_and_threads.py")
expected='32768 numbers: sums on 1 and 2 threads differ: False
32769 numbers: sums on 1 and 2 threads differ: True'
printf '%s\n' "$found"
[ "$found" = "$expected" ] || { echo "the behaviour has changed; it was:"; printf '%s\n' "$expected"; exit 1; }
