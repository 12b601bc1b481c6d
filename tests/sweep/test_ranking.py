"""Which setting of a study is best."""

from dataclasses import replace
from typing import Any

import pytest

from mnist_lstm.sweep.base_parameters import Trial
from mnist_lstm.sweep.ranking import ranked
from mnist_lstm.sweep.study import DIRECTIONS, Outcome

TRIALS = [
    Trial(f"{size} {seed}", {"model.hidden_size": size, "training.seed": seed}) for size in (4, 8) for seed in (1, 2)
]
VALUES = {"4 1": 0.5, "4 2": 0.7, "8 1": 0.9, "8 2": 0.7}


def outcomes(metric: str) -> dict[str, Outcome]:
    return {name: Outcome("finished", values={metric: value}) for name, value in VALUES.items()}


def sizes(metric: str, found: dict[str, Outcome]) -> list[Any]:
    return [setting.changes["model.hidden_size"] for setting in ranked(TRIALS, found, metric)]


@pytest.mark.parametrize("metric", DIRECTIONS)
def test_the_best_setting_has_the_best_mean_over_its_seeds(metric: str) -> None:
    assert sizes(metric, outcomes(metric)) == ([8, 4] if DIRECTIONS[metric] == "maximize" else [4, 8])


def test_a_setting_with_a_failed_trial_has_no_rank() -> None:
    metric = next(iter(DIRECTIONS))
    found = outcomes(metric)
    assert sizes(metric, found | {"8 2": replace(found["8 2"], status="failed", values={})}) == [4]
    del found["4 1"]
    assert sizes(metric, found) == [8]
