from typing import get_args

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from mnist_lstm.core.gates import STATES, lstm_states, units_read_most
from mnist_lstm.core.models import CELLS
from mnist_lstm.parameters import ModelParameters
from tests import tiny


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_equations_give_torchs_hidden_and_cell_states(layers: int) -> None:
    classifier, images = tiny.classifier(layers), tiny.images(7)
    states = lstm_states(classifier, images)
    with torch.inference_mode():
        outputs, (hidden, cell) = classifier.recurrent(torch.from_numpy(images).float() / 255)
    assert_allclose(states["hidden state"], outputs, atol=1e-6)
    assert_allclose(states["hidden state"][:, -1], hidden[-1], atol=1e-6)
    assert_allclose(states["cell state"][:, -1], cell[-1], atol=1e-5)


def test_gates_are_between_shut_and_open_and_the_hidden_state_is_what_the_output_gate_lets_through() -> None:
    states = lstm_states(tiny.classifier(), tiny.images(7))
    for name in ("input gate", "forget gate", "output gate"):
        assert states[name].shape == (7, tiny.HEIGHT, tiny.HIDDEN)
        assert states[name].min() >= 0
        assert states[name].max() <= 1
    assert_allclose(states["hidden state"], states["output gate"] * np.tanh(states["cell state"]), atol=1e-6)


def test_a_forget_gate_held_open_and_an_input_gate_held_shut_keep_the_cell_empty() -> None:
    classifier = tiny.classifier()
    with torch.no_grad():
        bias = classifier.recurrent.get_parameter("bias_ih_l0")
        bias[: tiny.HIDDEN] = -1000
        bias[tiny.HIDDEN : 2 * tiny.HIDDEN] = 1000
    states = lstm_states(classifier, tiny.images(3))
    assert (states["input gate"] == 0).all()
    assert (states["forget gate"] == 1).all()
    assert (states["cell state"] == 0).all()


def test_the_units_read_most_are_those_whose_readout_weights_differ_most_between_classes() -> None:
    classifier = tiny.classifier()
    with torch.no_grad():
        weight = torch.zeros_like(classifier.readout.weight)
        weight[:, 0] = 9  # the same for each class: it moves no answer
        weight[0, 3], weight[1, 1] = 2, -3
        classifier.readout.weight.copy_(weight)
    assert_array_equal(units_read_most(classifier, 2), [1, 3])
    assert len(units_read_most(classifier, 100)) == tiny.HIDDEN


def test_each_cell_can_be_looked_into() -> None:
    assert set(STATES) == set(CELLS) == set(get_args(ModelParameters.model_fields["cell"].annotation))
