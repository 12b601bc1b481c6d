import numpy as np
import pytest

from mnist_lstm.core.evaluation.gates import states as inner_states
from tests.core.plots.drawings import states
from tests.support import tiny


@pytest.mark.parametrize(("layers", "cell"), [(1, "lstm"), (2, "lstm"), (1, "gru"), (2, "rnn")])
def test_gates_and_states_are_those_of_a_right_and_a_wrong_example(layers: int, cell: str) -> None:
    inner = inner_states(tiny.classifier(layers, cell=cell), tiny.images(6))
    examples = tiny.examples(layers=layers, cell=cell)
    right = examples["beliefs"][:, -1].argmax(axis=-1) == examples["labels"]
    across = 1 + len(inner)
    rows = np.array(states(layers=layers, cell=cell).axes[: 2 * across]).reshape(2, across)
    for row, kind in zip(rows, (right, ~right), strict=True):
        position = np.flatnonzero(kind)[kind.sum() // 2]
        np.testing.assert_array_equal(row[0].images[0].get_array(), examples["images"][position])
        for axes, (name, values) in zip(row[1:], inner.items(), strict=True):
            np.testing.assert_array_equal(axes.images[0].get_array(), values[position])
            assert axes.get_title().strip() == name
