import math
from collections.abc import Iterator
from typing import Any, get_args

import pytest
import torch
from torch.testing import assert_close

from mnist_lstm.core.model.classifier import CELLS, RecurrentClassifier, new_classifier
from mnist_lstm.core.model.initialization import INITIALIZATIONS, Layer, layer_weights
from mnist_lstm.parameters import ModelParameters, Parameters


@pytest.fixture
def model(parameters: Parameters) -> ModelParameters:
    return parameters.model


def made(
    model: ModelParameters, shape: tuple[int, int] = (28, 28), classes: int = 10, **changes: Any
) -> RecurrentClassifier:
    return new_classifier(model.model_copy(update=changes), shape, classes, seed=1)


def layers(classifier: RecurrentClassifier) -> Iterator[Layer]:
    for layer in range(classifier.recurrent.num_layers):
        yield from layer_weights(classifier.recurrent, layer)


def assert_uniform(weight: torch.Tensor, limit: float) -> None:
    drawn = weight.detach()
    assert 0.99 * limit < drawn.abs().max() <= limit
    assert drawn.std() == pytest.approx(limit / math.sqrt(3), rel=0.03)
    assert drawn.mean() == pytest.approx(0, abs=0.03 * limit)


def test_the_initializations_are_those_that_the_parameters_allow() -> None:
    assert set(INITIALIZATIONS) == set(get_args(ModelParameters.model_fields["initialization"].annotation))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_kernels_are_uniform_within_glorots_limit_of_input_and_hidden_units_together(
    model: ModelParameters, bidirectional: bool
) -> None:
    classifier = made(model, num_layers=2, bidirectional=bidirectional)
    ways = 2 if bidirectional else 1
    found = list(layers(classifier))
    assert len(found) == 2 * ways
    for layer, inputs in zip(found, [28] * ways + [128 * ways] * ways, strict=True):
        for weight in (layer.input_weight, layer.hidden_weight):
            assert_uniform(weight, math.sqrt(6 / (inputs + 128 + 4 * 128)))


def test_a_grus_gates_and_candidate_have_kernels_of_their_own_and_its_gates_a_bias_of_1(model: ModelParameters) -> None:
    (layer,) = layers(made(model, cell="gru"))
    for weight in (layer.input_weight, layer.hidden_weight):
        assert_uniform(weight[: 2 * 128], math.sqrt(6 / (28 + 128 + 2 * 128)))
        assert_uniform(weight[2 * 128 :], math.sqrt(6 / (28 + 128 + 128)))
    assert layer.input_bias.tolist() == [1] * 256 + [0] * 128
    assert (bool(layer.hidden_bias.any()), layer.hidden_bias.requires_grad) == (False, True)


def test_a_plain_rnns_kernel_is_that_of_tensorflow_and_one_bias_is_trained(model: ModelParameters) -> None:
    (layer,) = layers(made(model, cell="rnn"))
    assert_uniform(layer.hidden_weight, math.sqrt(6 / (28 + 128 + 128)))
    assert (bool(layer.hidden_bias.any()), layer.hidden_bias.requires_grad) == (False, False)


def test_tensorflows_readout_is_drawn_from_the_standard_normal_distribution(model: ModelParameters) -> None:
    readout = made(model, classes=500).readout
    for weight, tolerance in ((readout.weight, 0.01), (readout.bias, 0.1)):
        drawn = weight.detach()
        assert drawn.mean() == pytest.approx(0, abs=tolerance)
        assert drawn.std() == pytest.approx(1, abs=tolerance)
        assert (drawn.abs() < 1.96).double().mean() == pytest.approx(0.95, abs=tolerance)


@pytest.mark.parametrize("cell", CELLS)
def test_torchs_weights_are_uniform_as_those_that_torch_draws(model: ModelParameters, cell: str) -> None:
    classifier = made(model, classes=500, cell=cell, initialization="torch")
    (layer,) = layers(classifier)
    for weight in (layer.input_weight, layer.hidden_weight):
        assert_uniform(weight, 1 / math.sqrt(128))
    assert layer.input_bias.abs().max() <= 1 / math.sqrt(128)
    assert layer.input_bias.any()
    assert_uniform(classifier.readout.weight, 1 / math.sqrt(128))


@pytest.mark.parametrize("cell", CELLS)
def test_each_gates_hidden_weights_are_orthogonal(model: ModelParameters, cell: str) -> None:
    for layer in layers(made(model, cell=cell, initialization="orthogonal", num_layers=2, bidirectional=True)):
        for gate in layer.hidden_weight.split(128):
            assert_close(gate @ gate.T, torch.eye(128), atol=1e-5, rtol=0)
        for gate in layer.input_weight.split(128):
            assert_uniform(gate, math.sqrt(6 / (128 + gate.shape[1])))
        assert not layer.input_bias.any()


@pytest.mark.parametrize(("cell", "adding"), [("lstm", slice(0, 128)), ("gru", None)])
def test_by_chrono_units_remember_for_one_step_to_all_of_them(
    model: ModelParameters, cell: str, adding: slice | None
) -> None:
    (layer,) = layers(made(model, (784, 1), cell=cell, initialization="chrono", forget_bias=0.0))
    slowness = layer.input_bias[128:256].detach()
    steps = slowness.exp()  # sigmoid(log u) = u / (1 + u): what a unit holds shrinks by a factor e in about u + 1 steps
    assert 1 <= steps.min() < 30
    assert 750 < steps.max() <= 783
    assert steps.mean() == pytest.approx(784 / 2, rel=0.1)
    others = layer.input_bias.detach().clone()
    others[128:256] = 0
    if adding:
        assert_close(others[adding], -slowness, rtol=0, atol=0)
        others[adding] = 0
    assert not others.any()


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("portable", [False, True])
def test_uniform_gates_of_an_untrained_network_are_uniform_and_add_as_slowly_as_they_forget(
    model: ModelParameters, cell: str, portable: bool
) -> None:
    changed = model.model_copy(update={"cell": cell, "hidden_size": 300, "initialization": "uniform_gates"})
    (layer,) = layers(new_classifier(changed, (784, 1), 10, seed=1, portable=portable))
    bias = layer.input_bias.detach()
    forgets = bias[300:600].sigmoid().sort().values
    assert_close(forgets, (torch.arange(300) + 0.5) / 300, rtol=0, atol=0.07)  # Kolmogorov-Smirnov: p = 0.08
    assert 1 / 300 <= forgets.min() < forgets.max() <= 299 / 300
    assert_close(bias[:300], -bias[300:600] if cell == "lstm" else torch.zeros(300), rtol=0, atol=0)
    assert not bias[600:].any()


@pytest.mark.parametrize("initialization", ["chrono", "uniform_gates"])
def test_all_but_the_gates_biases_is_orthogonal(model: ModelParameters, initialization: str) -> None:
    for cell in CELLS:
        one, orthogonal = (
            made(model, cell=cell, initialization=name).state_dict() for name in (initialization, "orthogonal")
        )
        differing = {name for name in one if not torch.equal(one[name], orthogonal[name])}
        assert differing == ({"recurrent.bias_ih_l0"} if cell in ("lstm", "gru") else set())


@pytest.mark.parametrize("initialization", INITIALIZATIONS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_forget_bias_is_a_constant_beside_one_trained_bias(
    model: ModelParameters, initialization: str, bidirectional: bool
) -> None:
    changes: dict[str, Any] = {"hidden_size": 6, "num_layers": 2, "initialization": initialization, "forget_bias": -2.5}
    for layer in layers(made(model, bidirectional=bidirectional, **changes)):
        assert layer.hidden_bias.tolist() == [0] * 6 + [-2.5] * 6 + [0] * 12
        assert not layer.hidden_bias.requires_grad
        assert layer.input_bias.requires_grad


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_the_forget_bias_changes_the_lstm_alone(model: ModelParameters, cell: str) -> None:
    one, other = (made(model, cell=cell, forget_bias=bias).state_dict() for bias in (0.0, 1.0))
    assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize("initialization", INITIALIZATIONS)
@pytest.mark.parametrize("cell", CELLS)
def test_the_initial_weights_follow_from_the_seed_alone(model: ModelParameters, initialization: str, cell: str) -> None:
    def weights(seed: int, other_draws: int) -> dict[str, torch.Tensor]:
        torch.manual_seed(other_draws)
        changed = model.model_copy(update={"initialization": initialization, "cell": cell, "pooling": "attention"})
        return new_classifier(changed, shape=(6, 4), classes=3, seed=seed).state_dict()

    assert_close(weights(1, other_draws=1), weights(1, other_draws=2), rtol=0, atol=0)
    for name in ("recurrent.weight_ih_l0", "recurrent.weight_hh_l0", "readout.weight"):
        assert not (weights(1, 1)[name] == weights(2, 1)[name]).any()
