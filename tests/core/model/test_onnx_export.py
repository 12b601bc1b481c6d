"""An ONNX file gives torch's probabilities in another program, onnxruntime."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mnist_lstm.core.data.sequences import pixel_order_for
from mnist_lstm.core.model.classifier import RecurrentClassifier, new_classifier
from mnist_lstm.core.model.export import ImageClassifier
from mnist_lstm.core.model.onnx_export import OPERATORS, to_onnx
from mnist_lstm.errors import UserError
from tests.conftest import read_by
from tests.core.test_combinations import CHOICES, COMBINATIONS
from tests.support import tiny

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")

EXPORTED = CHOICES | {"cell": list(OPERATORS)}
EVERY = [dict(zip(EXPORTED, values, strict=True)) for values in itertools.product(*EXPORTED.values())]
CASES = [pytest.param(each, marks=[] if each in COMBINATIONS else [pytest.mark.slow]) for each in EVERY]
SIZES = (1, 2, 128, 1000)


def classifier(view: str, shape: tuple[int, int], **model: Any) -> tuple[RecurrentClassifier, NDArray[np.int64]]:
    """A classifier with biases and attention weights that are not zero, and its pixel order.

    Its recurrent weights are the initial ones: larger ones make a plain RNN chaotic, and torch itself then differs by
    more than 1e-6 between float32 and float64.
    """
    pixel_order = pixel_order_for(read_by(view), *shape)
    made = new_classifier(tiny.model().model_copy(update=model), pixel_order.shape, tiny.CLASSES, seed=4).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weight in made.named_parameters():
            if "bias" in name or "attention" in name:
                weight.add_(torch.empty_like(weight).uniform_(-0.1, 0.1, generator=generator))
    return made, pixel_order


def difference(made: RecurrentClassifier, pixel_order: NDArray[np.int64], images: list[NDArray[np.uint8]]) -> float:
    """The largest difference between the probabilities of onnxruntime and torch."""
    content = to_onnx(made.model, made.state_dict(), pixel_order, images[0].shape[1:], {})
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    differences = []
    for part in images:
        with torch.inference_mode():
            expected = ImageClassifier(made, pixel_order).eval()(torch.from_numpy(part)).numpy()
        (found,) = session.run(None, {"images": part})
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        differences.append(float(np.abs(found - expected).max()))
    return max(differences)


@pytest.mark.parametrize("combination", CASES)
def test_onnxruntime_gives_the_probabilities_of_torch(combination: dict[str, Any]) -> None:
    view, model = combination["view"], {key: value for key, value in combination.items() if key != "view"}
    made, pixel_order = classifier(view, (tiny.HEIGHT, tiny.WIDTH), **model)
    assert difference(made, pixel_order, [tiny.images(count) for count in SIZES]) < 1e-6


@pytest.mark.parametrize("cell", OPERATORS)
def test_the_probabilities_of_a_network_of_the_tutorials_size_are_equal_too(cell: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (100, 28, 28), np.uint8)
    made, pixel_order = classifier("rows", (28, 28), cell=cell, hidden_size=128)
    assert difference(made, pixel_order, [images]) < 1e-6


@pytest.mark.parametrize(("cell", "operator"), [("lstm", "LSTM"), ("gru", "GRU"), ("rnn", "RNN")])
def test_each_layer_is_one_node(cell: str, operator: str) -> None:
    made, pixel_order = classifier("columns", (6, 4), cell=cell, num_layers=2)
    graph = onnx.load_from_string(to_onnx(made.model, made.state_dict(), pixel_order, (6, 4), {})).graph
    assert [node.op_type for node in graph.node].count(operator) == 2
    assert len(graph.node) == 14


def test_the_file_says_what_it_is_and_equal_models_give_equal_bytes() -> None:
    made, pixel_order = classifier("rows", (6, 4))
    content = to_onnx(made.model, made.state_dict(), pixel_order, (6, 4), {"data": "Tiny", "run": "1"})
    assert content == to_onnx(made.model, made.state_dict(), pixel_order, (6, 4), {"data": "Tiny", "run": "1"})
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map == {"data": "Tiny", "run": "1"}
    (images,), (probabilities,) = session.get_inputs(), session.get_outputs()
    assert (images.name, images.type, images.shape) == ("images", "tensor(uint8)", ["N", 6, 4])
    assert (probabilities.name, probabilities.shape) == ("probabilities", ["N", tiny.CLASSES])
    model = onnx.load_from_string(content)
    assert (model.producer_name, model.opset_import[0].version, model.ir_version) == ("mnist_lstm", 17, 8)


@pytest.mark.parametrize("what", [{"cell": "other"}, {"pooling": "other"}, {"gates": "refined"}, {"zoneout": 0.1}])
def test_what_has_no_operator_is_refused_by_name(what: dict[str, Any]) -> None:
    made, pixel_order = classifier("rows", (6, 4))
    ((key, found),) = what.items()
    with pytest.raises(UserError, match=f"model.{key} must be one of .* found {found!r}"):
        to_onnx(made.model.model_copy(update=what), made.state_dict(), pixel_order, (6, 4), {})
