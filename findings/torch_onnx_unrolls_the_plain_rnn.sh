#!/usr/bin/env bash
# Seen on 2026-11-28 with torch 2.13.0 (CPU), onnx 1.23.2, onnxscript 0.7.2, Python 3.11, Linux.
#
# `torch.onnx.export` writes an LSTM of 28 steps as one LSTM node with a few nodes around it, and a GRU as one GRU node. The
# simplest of the three, `nn.RNN`, becomes no RNN node, which ONNX has: its 28 steps are unrolled into 6 nodes each, so the
# file grows with the sequence and holds for this length alone.
#
# So a plain RNN needs its node built with onnx.helper where one file should read sequences of any length.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6 onnx==1.23.2 onnxscript==0.7.2
cat > "$folder/onnx_unrolls_the_plain_rnn.py" <<'PY'
import logging
import warnings

import torch
from torch import nn

warnings.simplefilter("ignore")
logging.disable()


class Reader(nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.recurrent = cell(28, 16, batch_first=True)

    def forward(self, images):
        return self.recurrent(images)[0]


for cell in (nn.LSTM, nn.GRU, nn.RNN):
    program = torch.onnx.export(Reader(cell).eval(), (torch.rand(2, 28, 28),), dynamo=True, verbose=False)
    kinds = [node.op_type for node in program.model_proto.graph.node]
    print(f"{cell.__name__}: {kinds.count(cell.__name__)} {cell.__name__} node, {kinds.count('Tanh')} Tanh")
PY
found=$("$folder/venv/bin/python" "$folder/onnx_unrolls_the_plain_rnn.py" 2>/dev/null | grep node)
expected='LSTM: 1 LSTM node, 0 Tanh
GRU: 1 GRU node, 0 Tanh
RNN: 0 RNN node, 28 Tanh'
printf '%s\n' "$found"
[ "$found" = "$expected" ] || { echo "the behaviour has changed; it was:"; printf '%s\n' "$expected"; exit 1; }
