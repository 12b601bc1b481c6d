"""What a grid's options may be."""

import pytest

from mnist_lstm.errors import UserError
from mnist_lstm.sweep.base_parameters import SEED, Trial
from mnist_lstm.sweep.grid import parse_axes, shuffled

TRIALS = [Trial(f"size={size} seed={seed}", {"size": size, SEED: seed}) for size in range(8) for seed in (5, 3)]


def test_each_option_is_a_parameter_with_its_values() -> None:
    assert parse_axes(["model.cell=lstm,gru", "training.seed=1,2"]) == {
        "model.cell": ["lstm", "gru"],
        "training.seed": [1, 2],
    }
    assert parse_axes(["model.bidirectional=false,0"]) == {"model.bidirectional": [False, 0]}


@pytest.mark.parametrize(
    "options", [["training.seed=1,2,1"], ["training.seed=1", "training.seed=2"], ["model.dropout=0,0.0"]]
)
def test_a_parameter_or_value_given_twice_is_refused(options: list[str]) -> None:
    with pytest.raises(UserError, match="must be given once"):
        parse_axes(options)


def test_trials_run_seed_by_seed_in_an_order_that_the_seed_draws() -> None:
    order = shuffled(TRIALS, [5, 3], 1)
    assert [trial.changes[SEED] for trial in order] == [5] * 8 + [3] * 8
    sizes = [
        [trial.changes["size"] for trial in half] for half in (order[:8], order[8:], shuffled(TRIALS, [5, 3], 2)[:8])
    ]
    assert [sorted(half) for half in sizes] == [[*range(8)]] * 3
    assert len({*map(tuple, sizes), tuple(range(8))}) == 4
    assert shuffled(TRIALS[::-1], [5, 3], 1) == order
    assert shuffled(order[5:], [5, 3], 1) == order[5:], "the rest of a sweep is in the order of the whole"
