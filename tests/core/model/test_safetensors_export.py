import json

import numpy as np
import pytest

from mnist_lstm.core.model.safetensors_export import to_safetensors
from tests.support import tiny

WEIGHTS = dict(tiny.classifier(2).state_dict())


def test_a_file_is_a_header_and_the_values_as_the_format_says() -> None:
    content = to_safetensors({"b": WEIGHTS["readout.bias"]}, {"data": "Tiny"})
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    assert size % 8 == 0
    assert header["__metadata__"] == {"data": "Tiny"}
    assert header["b"] == {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}
    np.testing.assert_array_equal(np.frombuffer(content[8 + size :], np.float32), WEIGHTS["readout.bias"].numpy())


def test_the_library_reads_every_weight_to_the_bit() -> None:
    library = pytest.importorskip("safetensors.numpy", reason="the extra onnx is not installed")
    found = library.load(to_safetensors(WEIGHTS, {}))
    assert found.keys() == WEIGHTS.keys()
    for name, array in found.items():
        np.testing.assert_array_equal(array, WEIGHTS[name].numpy(), strict=True)
