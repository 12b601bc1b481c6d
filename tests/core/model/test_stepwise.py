"""Refined gates and zoneout: by their papers' equations, and equal to torch's LSTM where they change nothing."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.testing import assert_close

from mnist_lstm.core.evaluation.gates import STATES
from mnist_lstm.core.model.classifier import RecurrentClassifier, classify, new_classifier
from mnist_lstm.core.model.initialization import layer_weights
from mnist_lstm.core.model.stepwise import StepwiseCell, StepwiseLSTM, lstm_step
from tests.core.model import test_series
from tests.support import tiny

Array = NDArray[np.float64]
REFINED: dict[str, Any] = {"gates": "refined", "forget_bias": 0.0}
KINDS: list[dict[str, Any]] = [{"zoneout": 0.3}, REFINED, REFINED | {"zoneout": 0.3}]


def sigmoid(values: Array) -> Array:
    return 1 / (1 + np.exp(-values))


def expected(inputs: Array, recurrent: Any, layer: int, way: int) -> Array:
    """The hidden states of one direction, (N, T, H), in evaluation, by the equations of the papers."""
    w_ih, w_hh, b_ih, b_hh = (weight.detach().double().numpy() for weight in layer_weights(recurrent, layer)[way])
    hidden = cell = np.zeros((len(inputs), recurrent.hidden_size))
    z, refined, states = getattr(recurrent, "zoneout", 0.0), getattr(recurrent, "refined", False), []
    for step in inputs.swapaxes(0, 1):
        first, forget, candidate, out = np.split(step @ w_ih.T + b_ih + hidden @ w_hh.T + b_hh, 4, axis=1)
        f, r = sigmoid(forget), sigmoid(first)
        keep, take = f, r
        if refined:
            keep = r * (1 - (1 - f) ** 2) + (1 - r) * f**2
            take = 1 - keep
        new = keep * cell + take * np.tanh(candidate)
        hidden = z * hidden + (1 - z) * sigmoid(out) * np.tanh(new)
        cell = z * cell + (1 - z) * new
        states.append(hidden)
    return np.stack(states, axis=1)


def randomized(**changes: Any) -> RecurrentClassifier:
    made = tiny.classifier(**changes)
    with torch.no_grad():
        for number, weight in enumerate(made.recurrent.parameters()):
            weight.normal_(generator=torch.Generator().manual_seed(number))
    return made


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("kind", [{}, *KINDS])
def test_the_outputs_are_those_of_the_equations_in_float64(kind: dict[str, Any], both: bool) -> None:
    made, images = randomized(layers=2, bidirectional=both, **kind), tiny.images(5)
    found = images / 255
    for layer in range(2):
        there = expected(found, made.recurrent, layer, 0)
        back = [expected(found[:, ::-1], made.recurrent, layer, 1)[:, ::-1]] if both else []
        found = np.concatenate([there, *back], axis=2)
    with torch.no_grad():
        outputs, last = made.double()._read(torch.from_numpy(images))
    np.testing.assert_allclose(outputs, found, rtol=1e-12, atol=1e-14)
    units = made.model.hidden_size
    ends = [found[:, -1, :units], found[:, 0, units:]]
    np.testing.assert_allclose(last, np.concatenate(ends, axis=1), rtol=1e-12, atol=1e-14)


OWN: dict[str, tuple[Any, Callable[..., nn.Module]]] = {
    "without either": (nn.LSTM, partial(StepwiseLSTM, False, 0.0)),
    "lstm": (nn.LSTM, partial(StepwiseCell, STATES["lstm"], 4)),
    "gru": (nn.GRU, partial(StepwiseCell, STATES["gru"], 3)),
    "rnn": (nn.RNN, partial(StepwiseCell, STATES["rnn"], 1)),
}


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("kind", OWN)
def test_a_cell_from_its_equations_and_steps_without_either_are_torchs(kind: str, both: bool) -> None:
    theirs, ours = (each(4, 5, 2, batch_first=True, bidirectional=both).double() for each in OWN[kind])
    ours.load_state_dict(theirs.state_dict())  # the same names
    inputs = torch.rand(3, 7, 4, dtype=torch.float64)
    (outputs, state), (found, end) = theirs(inputs), ours(inputs)
    assert_close(found, outputs, rtol=1e-12, atol=1e-14)
    assert_close(end, state[0] if isinstance(state, tuple) else state, rtol=1e-12, atol=1e-14)


def test_plain_gates_without_zoneout_are_computed_by_torch_to_the_bit() -> None:
    assert type(tiny.classifier(gates="plain", zoneout=0.0).recurrent) is nn.LSTM


numbers = st.floats(-8, 8, width=32)


@given(numbers, numbers)
def test_a_refine_gate_of_one_half_changes_nothing_and_others_stay_within_their_bounds(r: float, f: float) -> None:
    """Gu et al. 2020, section 3.2: the effective gate lies between f^2 and 1 - (1 - f)^2."""

    def gate(refine: float) -> float:
        driven = torch.tensor([[refine, f, 0.0, 0.0]], dtype=torch.float64)
        nothing = torch.zeros(1, 1, dtype=torch.float64)
        take, keep, *_ = lstm_step(driven, nothing, nothing, refined=True)
        assert take + keep == pytest.approx(1)
        return float(keep)

    forget = float(torch.sigmoid(torch.tensor(f, dtype=torch.float64)))
    assert gate(0.0) == pytest.approx(forget, rel=1e-12)
    assert forget**2 - 1e-12 <= gate(r) <= 1 - (1 - forget) ** 2 + 1e-12


def test_refined_gates_start_uniform_and_their_refine_biases_opposite() -> None:
    made = new_classifier(tiny.model(hidden_size=2000, **REFINED), (6, 4), 3, seed=1)
    (weights,) = layer_weights(made.recurrent, 0)
    refine, forget, *others = weights.input_bias.detach().chunk(4)
    gates = torch.sigmoid(forget).sort().values
    assert_close(gates, torch.linspace(1 / 2000, 1 - 1 / 2000, 2000), atol=0.04, rtol=0)
    assert torch.equal(refine, -forget)
    assert not any(each.any() for each in (*others, weights.hidden_bias))
    one = new_classifier(tiny.model(hidden_size=1, **REFINED), (6, 4), 3, seed=1)
    assert one.recurrent.get_parameter("bias_ih_l0").isfinite().all()


def a_step(training: bool, zoneout: float, units: int = 6) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """States before and after: hidden, cell, new cell, new hidden."""
    generator = torch.Generator().manual_seed(5)
    driven, hidden, cell = (torch.randn(3, count, generator=generator) for count in (4 * units, units, units))
    *_, new_cell, new_hidden = lstm_step(driven, hidden, cell, zoneout=zoneout, training=training)
    return hidden, cell, new_cell, new_hidden


@pytest.mark.parametrize("training", [False, True])
def test_zoneout_of_one_keeps_both_states(training: bool) -> None:
    hidden, cell, new_cell, new_hidden = a_step(training, 1.0)
    assert torch.equal(new_cell, cell)
    assert torch.equal(new_hidden, hidden)


def test_zoneout_keeps_its_fraction_of_the_units_and_steps_the_others_independently_in_both_states() -> None:
    torch.manual_seed(3)
    *_, stepped_cell, stepped_hidden = a_step(True, 0.0, units=20_000)
    hidden, cell, new_cell, new_hidden = a_step(True, 0.2, units=20_000)
    of_cell, of_hidden = new_cell == cell, new_hidden == hidden
    assert torch.equal(new_cell, torch.where(of_cell, cell, stepped_cell))
    assert torch.equal(new_hidden, torch.where(of_hidden, hidden, stepped_hidden))  # of the c' before its zoneout
    shares = [float(each.float().mean()) for each in (of_cell, of_hidden, of_cell & of_hidden)]
    assert shares == pytest.approx([0.2, 0.2, 0.04], abs=0.008)


def test_evaluation_takes_the_mean_of_what_training_draws() -> None:
    torch.manual_seed(4)
    draws = [a_step(True, 0.3)[2:] for _ in range(4000)]
    *_, cell, hidden = a_step(False, 0.3)
    for mean, drawn in zip((cell, hidden), zip(*draws, strict=True), strict=True):
        assert_close(torch.stack(drawn).mean(dim=0), mean, atol=0.06, rtol=0)


def test_zoneout_draws_in_training_alone() -> None:
    made, images = tiny.classifier(zoneout=0.3), torch.from_numpy(tiny.images(3))
    assert torch.equal(made(images), made(images))
    made.train()
    assert not torch.equal(made(images), made(images))


@pytest.mark.parametrize("both", [False, True])
def test_series_are_read_to_their_own_last_step(both: bool) -> None:
    made = test_series.classifier(2, bidirectional=both, zoneout=0.3, **REFINED)
    alone = np.concatenate([classify(made, each[None], 1) for each in test_series.some_series()])
    np.testing.assert_allclose(classify(made, test_series.together(steps=11), 4), alone, atol=1e-6)


def test_in_bfloat16_the_states_stay_float32() -> None:
    made = randomized(**REFINED)
    inputs = torch.rand(3, 6, tiny.WIDTH)
    with torch.autocast("cpu", torch.bfloat16):
        mixed, _ = made.recurrent(inputs)
    outputs, _ = made.recurrent(inputs)
    assert mixed.dtype == torch.float32
    assert_close(mixed, outputs, atol=0.05, rtol=0)
    assert not torch.equal(mixed, outputs)
