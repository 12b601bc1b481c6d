import io
import warnings
from contextlib import nullcontext, suppress
from typing import Any

import numpy as np
import pytest
import torch

from mnist_lstm.core.data.sequences import pixel_order_for
from mnist_lstm.core.model.export import ImageClassifier
from mnist_lstm.core.model.tracing import shapes_of_complete_layers
from tests.conftest import read_by
from tests.support import tiny

LSTM = torch.ops.aten.lstm.input


def exported(model: ImageClassifier) -> bytes:
    images, buffer = torch.zeros((2, tiny.HEIGHT, tiny.WIDTH), dtype=torch.uint8), io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.filterwarnings("ignore", "The tensor attributes .*_flat_weights", UserWarning)
        program = torch.export.export(model.eval(), (images,), dynamic_shapes=({0: torch.export.Dim("n", min=1)},))
    torch.export.save(program, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "changes",
    [{}, {"layers": 2, "bidirectional": True}, {"cell": "gru", "pooling": "attention"}, {"cell": "rnn"}],
    ids=str,
)
def test_the_exported_program_has_the_same_bytes(changes: dict[str, Any]) -> None:
    model = ImageClassifier(tiny.classifier(**changes), pixel_order_for(read_by("rows"), tiny.HEIGHT, tiny.WIDTH))
    files = []
    for way in (nullcontext(), shapes_of_complete_layers()):
        with way:
            files.append(exported(model))
    assert files[0] == files[1]


def test_an_export_takes_no_more_operations_for_more_steps() -> None:
    found = []
    for steps in (2, 24):
        order = np.arange(tiny.HEIGHT * tiny.WIDTH).reshape(steps, -1)
        model = ImageClassifier(tiny.classifier(features=order.shape[1]), order)
        with torch.profiler.profile() as profile, shapes_of_complete_layers():
            exported(model)
        found.append(sum(event.count for event in profile.key_averages() if event.key.startswith("aten::")))
    assert found[0] == pytest.approx(found[1], rel=0.1)


def test_torchs_own_shape_functions_are_back_after_an_error() -> None:
    before = dict(LSTM.py_kernels)
    with suppress(ValueError), shapes_of_complete_layers():
        assert set(LSTM.py_kernels.values()).isdisjoint(before.values())
        raise ValueError("while tracing")
    assert LSTM.py_kernels == before
