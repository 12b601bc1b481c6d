import numpy as np
import pytest

from mnist_lstm.core.gates import lstm_states
from tests import tiny
from tests.core.plots.drawings import states


@pytest.mark.parametrize("layers", [1, 2])
def test_gates_and_states_are_those_of_a_right_and_a_wrong_example(layers: int) -> None:
    inner = lstm_states(tiny.classifier(layers), tiny.images(6))
    examples = tiny.examples()
    right = examples["beliefs"][:, -1].argmax(axis=-1) == examples["labels"]
    rows = np.array(states(layers=layers).axes[:12]).reshape(2, 6)
    for row, kind in zip(rows, (right, ~right), strict=True):
        position = np.flatnonzero(kind)[kind.sum() // 2]
        np.testing.assert_array_equal(row[0].images[0].get_array(), examples["images"][position])
        for axes, (name, values) in zip(row[1:], inner.items(), strict=True):
            np.testing.assert_array_equal(axes.images[0].get_array(), values[position])
            assert axes.get_title().strip() == name
