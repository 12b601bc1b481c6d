"""What a grid's options may be."""

import pytest

from mnist_lstm.errors import UserError
from mnist_lstm.sweep.grid import parse_axes


def test_each_option_is_a_parameter_with_its_values() -> None:
    assert parse_axes(["model.cell=lstm,gru", "training.seed=1,2"]) == {
        "model.cell": ["lstm", "gru"],
        "training.seed": [1, 2],
    }


@pytest.mark.parametrize("options", [["training.seed=1,2,1"], ["training.seed=1", "training.seed=2"]])
def test_a_parameter_or_value_given_twice_is_refused(options: list[str]) -> None:
    with pytest.raises(UserError, match="must be given once"):
        parse_axes(options)
