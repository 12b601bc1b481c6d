"""What the page of a study shows of its trials."""

from typing import Any

import pytest

from mnist_lstm.sweep.base_parameters import Trial
from mnist_lstm.sweep.figures import figures
from mnist_lstm.sweep.report import shown, table
from mnist_lstm.sweep.study import DIRECTIONS, Outcome

METRIC = "valid/accuracy"
RATE = "training.learning_rate"
VALUES = {"a": 0.71234567, "b": 0.775, "c": 0.7}
TRIALS = [Trial(name, {RATE: rate}) for name, rate in zip(VALUES, (1e-5, 0.003, 0.0012345678), strict=True)]
AXES = {RATE: [trial.changes[RATE] for trial in TRIALS]}
FINISHED = {name: Outcome("finished", values={METRIC: value}, run_id=name * 32) for name, value in VALUES.items()}


def rows(outcomes: dict[str, Outcome]) -> list[dict[str, Any]]:
    return shown(table(AXES, TRIALS, outcomes, METRIC), METRIC)


def test_results_are_sorted_and_have_the_same_decimals() -> None:
    assert [(row[METRIC], row[RATE], row["run"], row[""]) for row in rows(FINISHED)] == [
        ("0.7750", "0.003", "b" * 8, "the best"),
        ("0.7123", "1e-05", "a" * 8, ""),
        ("0.7000", "0.001235", "c" * 8, ""),
    ]


def test_only_a_trial_that_did_not_finish_makes_a_column_of_reasons() -> None:
    assert "reason" not in rows(FINISHED)[0]
    last = rows(FINISHED | {"b": Outcome("failed", "no memory")})[-1]
    assert (last["trial"], last[METRIC], last["reason"]) == ("b", "", "no memory")


@pytest.mark.parametrize("metric", DIRECTIONS)
def test_the_figures_have_no_trial_between_two_and_no_white_line(metric: str) -> None:
    finished = {name: Outcome("finished", values={metric: value}) for name, value in VALUES.items()}
    history, coordinates = (plot.to_dict() for plot in figures(AXES, TRIALS, finished, metric))
    (steps,) = [line for line in history["data"] if line["mode"] == "lines"]
    assert (steps["line"]["shape"], history["layout"]["xaxis"]["dtick"]) == ("hv", 1)
    lines = sorted((line["y"][0], line["line"]["color"]) for line in coordinates["data"] if line["mode"] == "lines")
    (_, lowest), _, (_, highest) = lines
    darkest, lightest = "rgb(8, 48, 107)", "rgb(158, 202, 225)"
    assert (lowest, highest) == ((lightest, darkest) if metric == METRIC else (darkest, lightest))


def test_a_sweep_that_was_stopped_shows_the_trials_that_have_ended() -> None:
    metric = "valid/accuracy"
    ended = [Trial(str(size), {"model.hidden_size": size}) for size in (4, 8)]
    waiting = Trial("16", {"model.hidden_size": 16})
    found = {trial.name: Outcome("finished", values={metric: 0.5}) for trial in ended}
    history, _ = (
        plot.to_dict() for plot in figures({"model.hidden_size": [4, 8, 16]}, [*ended, waiting], found, metric)
    )
    assert list(history["data"][0]["x"]) == [0, 1]
