"""A series is read to its own last step, in the units of the training series."""

import itertools
import json
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from mnist_lstm.core.data.series import padded
from mnist_lstm.core.evaluation import by_step, gates
from mnist_lstm.core.model.classifier import (
    CELLS,
    RecurrentClassifier,
    SeriesClassifier,
    classify,
    new_classifier,
    restored_classifier,
)
from mnist_lstm.core.model.export import REFUSED_SERIES, ImageClassifier, ServedClassifier
from mnist_lstm.core.model.onnx_export import OPERATORS, to_onnx
from mnist_lstm.core.model.pooling import POOLINGS
from mnist_lstm.core.training.compute import bfloat16_layers
from tests.support import tiny

LENGTHS = (1, 3, 6, 4)
KINDS = list(itertools.product(CELLS, POOLINGS, [1, 2], [False, True]))
kinds = pytest.mark.parametrize(("cell", "pooling", "layers", "both"), KINDS)
ORDER = np.arange(6 * 4).reshape(6, 4)


def some_series() -> list[NDArray[np.float32]]:
    """Of several lengths, with features of another scale."""
    random = np.random.default_rng(3)
    scale, offset = np.array([1, 100, 0.01, 5]), np.array([0, -40, 7, 0])
    return [(random.normal(size=(length, 4)) * scale + offset).astype(np.float32) for length in LENGTHS]


def together(steps: int = 6) -> NDArray[np.float32]:
    return np.concatenate([padded(each[None], steps) for each in some_series()])


def classifier(layers: int = 1, **changes: Any) -> RecurrentClassifier:
    made = new_classifier(tiny.model(layers, **changes), (6, 4), tiny.CLASSES, seed=4, sequences=together())
    if made.model.pooling == "attention":
        torch.nn.init.normal_(made.attention.weight, generator=torch.Generator().manual_seed(2))
    return made.eval()


@kinds
def test_steps_after_the_last_one_change_no_answer_which_stays_then(
    cell: str, pooling: str, layers: int, both: bool
) -> None:
    made = classifier(layers, cell=cell, pooling=pooling, bidirectional=both)
    alone = np.concatenate([classify(made, each[None], 1) for each in some_series()])
    for steps in (6, 11):
        assert_allclose(classify(made, together(steps), 4), alone, atol=1e-6)
    found, expected = by_step.class_probabilities_by_step(made, together()), torch.softmax(torch.tensor(alone), dim=1)
    for number, length in enumerate(LENGTHS):
        for step in range(-1, 0) if both else range(length - 1, 6):
            assert_allclose(found[number, step], expected[number], atol=1e-6)


@kinds
def test_complete_series_are_read_as_torch_reads_them(cell: str, pooling: str, layers: int, both: bool) -> None:
    made = classifier(layers, cell=cell, pooling=pooling, bidirectional=both)
    plain = RecurrentClassifier(made.model, 4, tiny.CLASSES).eval()
    plain.load_state_dict({name: each for name, each in made.state_dict().items() if name not in ("mean", "deviation")})
    series = torch.from_numpy(np.random.default_rng(1).normal(size=(3, 6, 4)).astype(np.float32))
    for name, each in made.named_buffers():
        each.fill_(float(name == "deviation"))
    with torch.inference_mode():
        assert_allclose(made(series), plain(series * 255), atol=2e-6)


@kinds
def test_gates_and_states_are_those_of_the_network(cell: str, pooling: str, layers: int, both: bool) -> None:
    made = classifier(layers, cell=cell, pooling=pooling, bidirectional=both)
    hidden = gates.states(made, together())["hidden state"]
    with torch.inference_mode():
        outputs = made.outputs(torch.from_numpy(together())).numpy()
    for number, length in enumerate(LENGTHS):
        assert_allclose(hidden[number, :length], outputs[number, :length], atol=1e-6)


def test_mean_and_deviation_are_those_of_the_training_series() -> None:
    steps = np.concatenate(some_series()).astype(np.float64)
    made = classifier()
    assert_allclose(made.state_dict()["mean"], steps.mean(axis=0), rtol=1e-6)
    assert_allclose(made.state_dict()["deviation"], steps.std(axis=0), rtol=1e-6)
    again = restored_classifier(made.model, 4, made.state_dict())
    assert np.array_equal(classify(again, together(), 4), classify(made, together(), 4))


def test_a_constant_feature_is_zero() -> None:
    series = together()
    series[..., 2] = np.where(np.isnan(series[..., 2]), np.nan, np.float32(0.1))
    made = new_classifier(tiny.model(), (6, 4), tiny.CLASSES, seed=4, sequences=series)
    assert made.scaled(torch.from_numpy(series))[..., 2].abs().max() < 1e-6
    assert np.isfinite(classify(made, series, 4)).all()


@pytest.mark.filterwarnings("ignore:The tensor attributes")
def test_the_served_model_takes_raw_series() -> None:  # tests/pipelines/test_series.py exports LSTMs
    made = ServedClassifier(ImageClassifier(classifier(2, cell="gru", bidirectional=True), ORDER)).eval()
    series = torch.from_numpy(together())
    with torch.no_grad():
        program = torch.export.export(made, (series,), dynamic_shapes=({0: torch.export.Dim("series", min=1)},))
        exported = program.module()
        for part in (series[:1], series):
            assert_allclose(exported(part), made(part), atol=1e-6)
            assert_allclose(exported(part).sum(dim=1), 1, atol=1e-6)


GAPS = {"at first": (0, 0), "in the middle": (2, 1), "of one feature": (5, 3)}


@pytest.mark.parametrize("gap", GAPS)
def test_the_served_model_refuses_missing_values(gap: str) -> None:
    made = ServedClassifier(ImageClassifier(classifier(), ORDER)).eval()
    content = json.loads(json.dumps(np.ones((1, 6, 4)).tolist()))
    step, feature = GAPS[gap]
    content[0][step][feature] = None  # as a client sends it
    with pytest.raises(RuntimeError, match=REFUSED_SERIES):
        made(torch.from_numpy(np.array(content, np.float32)))
    with pytest.raises(RuntimeError, match=REFUSED_SERIES):
        made(torch.full((1, 6, 4), torch.inf))


def test_series_are_read_in_bfloat16_in_training_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def mixed(*_: Any) -> bool:
        return torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") == torch.bfloat16

    monkeypatch.setattr(SeriesClassifier, "_read", mixed)
    made: Any = classifier(bidirectional=True)
    series = torch.from_numpy(together())
    with bfloat16_layers(made, torch.device("cpu")):
        assert made.train()._read(series)
        assert not made.eval()._read(series)
    assert not made.train()._read(series)


@pytest.mark.parametrize(("cell", "pooling", "layers", "both"), [each for each in KINDS if each[0] in OPERATORS])
def test_onnxruntime_reads_series_to_their_last_step(cell: str, pooling: str, layers: int, both: bool) -> None:
    onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
    onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    made = classifier(layers, cell=cell, pooling=pooling, bidirectional=both)
    content = to_onnx(made.model, made.state_dict(), ORDER, (6, 4), {})
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        expected = ImageClassifier(made, ORDER).eval()(torch.from_numpy(together())).numpy()
    assert_allclose(session.run(None, {"series": together()})[0], expected, atol=1e-6)
