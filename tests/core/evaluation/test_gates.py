from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from mnist_lstm.core.evaluation.gates import states, units_read_most
from mnist_lstm.core.model.classifier import CELLS
from tests.support import tiny


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_equations_give_torchs_hidden_states(layers: int, cell: str, bidirectional: bool) -> None:
    classifier, images = tiny.classifier(layers, cell=cell, bidirectional=bidirectional), tiny.images(7)
    with torch.no_grad():
        for weight in classifier.recurrent.parameters():  # biases too
            weight.normal_(generator=torch.Generator().manual_seed(weight.numel()))
    with torch.inference_mode():
        outputs = classifier.outputs(torch.from_numpy(images))
    assert_allclose(states(classifier, images)["hidden state"], outputs, atol=1e-5)


@pytest.mark.parametrize("layers", [1, 2])
def test_the_equations_give_torchs_cell_state(layers: int) -> None:
    classifier, images = tiny.classifier(layers), tiny.images(7)
    with torch.inference_mode():
        _, (_, cell) = classifier.recurrent(torch.from_numpy(images).float() / 255)
    assert_allclose(states(classifier, images)["cell state"][:, -1], cell[-1], atol=1e-5)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_equations_give_the_states_of_refined_gates_and_of_zoneout(bidirectional: bool) -> None:
    changes: dict[str, Any] = {"gates": "refined", "forget_bias": 0.0, "zoneout": 0.3, "bidirectional": bidirectional}
    classifier, images = tiny.classifier(2, **changes), tiny.images(7)
    with torch.inference_mode():
        outputs = classifier.outputs(torch.from_numpy(images))
    seen = states(classifier, images)
    assert_allclose(seen["hidden state"], outputs, atol=1e-6)
    assert_allclose(seen["input gate"] + seen["forget gate"], 1, atol=1e-6)


def test_a_grus_hidden_state_is_between_the_last_one_and_the_candidate_where_the_update_gate_says() -> None:
    seen = states(tiny.classifier(cell="gru"), tiny.images(7))
    before = np.pad(seen["hidden state"][:, :-1], ((0, 0), (1, 0), (0, 0)))
    update = seen["update gate"]
    assert_allclose(seen["hidden state"], update * before + (1 - update) * seen["candidate state"], atol=1e-6)
    assert ((seen["reset gate"] > 0) & (seen["reset gate"] < 1)).all()


def test_gates_are_between_shut_and_open_and_the_hidden_state_is_what_the_output_gate_lets_through() -> None:
    seen = states(tiny.classifier(), tiny.images(7))
    for name in ("input gate", "forget gate", "output gate"):
        assert seen[name].shape == (7, tiny.HEIGHT, tiny.HIDDEN)
        assert 0 <= seen[name].min() <= seen[name].max() <= 1
    assert_allclose(seen["hidden state"], seen["output gate"] * np.tanh(seen["cell state"]), atol=1e-6)


def test_a_forget_gate_held_open_and_an_input_gate_held_shut_keep_the_cell_empty() -> None:
    classifier = tiny.classifier()
    with torch.no_grad():
        bias = classifier.recurrent.get_parameter("bias_ih_l0")
        bias[: tiny.HIDDEN] = -1000
        bias[tiny.HIDDEN : 2 * tiny.HIDDEN] = 1000
    seen = states(classifier, tiny.images(3))
    assert [set(seen[f"{name}"].ravel()) for name in ("input gate", "forget gate", "cell state")] == [{0}, {1}, {0}]
    assert list(states(tiny.classifier(cell="rnn"), tiny.images(2))) == ["hidden state"]


def test_the_units_read_most_are_those_whose_readout_weights_differ_most_between_classes() -> None:
    classifier = tiny.classifier()
    with torch.no_grad():
        weight = torch.zeros_like(classifier.readout.weight)
        weight[:, 0] = 9  # the same for each class: it moves no answer
        weight[0, 3], weight[1, 1] = 2, -3
        classifier.readout.weight.copy_(weight)
    assert_array_equal(units_read_most(classifier, 2), [1, 3])
    assert len(units_read_most(classifier, 100)) == tiny.HIDDEN
