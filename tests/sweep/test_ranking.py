"""Which setting of a study is best."""

from dataclasses import replace
from typing import Any

import pytest

from mnist_lstm.sweep.base_parameters import Trial
from mnist_lstm.sweep.ranking import ranked, setting_text
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


def compared(found: dict[str, Outcome]) -> list[list[str]]:
    """The names of the trials of each setting that has a rank, the best one first."""
    return [[trial.name for trial in setting.trials] for setting in ranked(TRIALS, found, "valid/accuracy")]


def test_a_sweep_that_goes_on_compares_settings_by_the_seeds_that_all_have_finished() -> None:
    found = outcomes("valid/accuracy")
    assert compared(found) == [["8 1", "8 2"], ["4 1", "4 2"]]
    assert compared({name: found[name] for name in ("4 1", "8 1", "8 2")}) == [["8 1"], ["4 1"]]
    assert compared({"8 1": found["8 1"]}) == [["8 1"]]
    assert compared({}) == []
    assert compared(found | {"4 1": Outcome("failed")}) == [["8 1", "8 2"]]


def test_the_best_is_reported_with_the_interval_of_its_mean() -> None:
    best = ranked(TRIALS, outcomes("valid/accuracy"), "valid/accuracy")[0]
    expected = "model.hidden_size=8: valid/accuracy 0.8000 (2 seeds, 95% interval 0.0000 to 1.0000 (cut at 0 and 1))"
    assert setting_text(best, "valid/accuracy") == expected
