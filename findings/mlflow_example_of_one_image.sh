#!/usr/bin/env bash
# Seen on 2026-11-28 with mlflow 3.17.2, torch 2.13.0 (CPU), numpy 2.4.6, Python 3.11, Linux.
#
# `mlflow.pytorch.log_model` writes a pt2 file, exported with the input example. The signature says (-1, 28, 28), any number
# of images. With an example of one image the logged model classifies one image and fails with "Guard failed:
# x.size()[0] == 1" for two; with an example of two images it takes any number. Nothing is said when it is logged.
#
# So the input example of a model needs at least two rows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mlflow==3.17.2 torch==2.13.0 numpy==2.4.6
cat > "$folder/example_of_one_image.py" <<'PY'
import os
import sys
import warnings

import mlflow
import numpy as np
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec
from torch import nn

warnings.simplefilter("ignore")
os.chdir(sys.argv[1])


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.recurrent = nn.LSTM(28, 16, batch_first=True)

    def forward(self, x):
        return self.recurrent(x)[0][:, -1]


def tensor(*shape):
    return Schema([TensorSpec(np.dtype("float32"), (-1, *shape))])


def answers(model, images):
    try:
        return model.predict(np.zeros((images, 28, 28), np.float32)).shape[0] == images
    except Exception:
        return False


mlflow.set_tracking_uri("sqlite:///mlflow.db")
signature = ModelSignature(tensor(28, 28), tensor(16))
for images in (1, 2):
    example = np.zeros((images, 28, 28), np.float32)
    with mlflow.start_run():
        logged = mlflow.pytorch.log_model(
            Reader().eval(), name="reader", input_example=example, signature=signature, pip_requirements=["torch"]
        )
    model = mlflow.pyfunc.load_model(logged.model_uri)
    print(f"example of {images}: 1 image {answers(model, 1)}, 2 {answers(model, 2)}, 128 {answers(model, 128)}")
PY
found=$(MLFLOW_DISABLE_TELEMETRY=true "$folder/venv/bin/python" "$folder/example_of_one_image.py" "$folder" 2>/dev/null)
expected='example of 1: 1 image True, 2 False, 128 False
example of 2: 1 image True, 2 True, 128 True'
printf '%s\n' "$found"
[ "$found" = "$expected" ] || { echo "the behaviour has changed; it was:"; printf '%s\n' "$expected"; exit 1; }
