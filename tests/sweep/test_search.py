"""Whole searches on the bundled digits: what is drawn, pruned and found, and again after Ctrl-C."""

import signal

import pytest
import yaml

from tests.support.projects import TESTED, Project, wait_for
from tests.support.sweeps import SEARCH, bits, start, study, sweep, trials

pytestmark = pytest.mark.slow


def drawn(project: Project, name: str) -> dict[str, tuple[str, ...]]:
    """What was drawn for each trial."""
    keys = ("training.learning_rate", "model.hidden_size", "model.cell")
    return {trial: tuple(run[-1].data.params[key] for key in keys) for trial, run in trials(project, name).items()}


def test_each_trial_has_parameters_of_its_own_within_what_was_asked(search: Project) -> None:
    found = drawn(search, "eight")
    assert sorted(name.partition(" ")[0] for name in found) == [f"#{number}" for number in range(1, 9)]
    assert all(1e-4 <= float(rate) <= 1e-1 and 4 <= int(size) <= 16 for rate, size, _ in found.values())
    assert {cell for *_, cell in found.values()} == {"lstm", "gru"}
    assert len(set(found.values())) == 8


def test_a_trial_worse_than_the_median_is_stopped_early_and_is_no_failure(search: Project) -> None:
    runs = [run for [run] in trials(search, "eight").values()]
    stopped = [run for run in runs if run.info.status == "KILLED"]
    assert stopped
    assert {run.info.status for run in runs} == {"KILLED", "FINISHED"}
    assert all(run.data.tags["reason"].startswith("pruned at update") for run in stopped)
    assert f"8 trials, {8 - len(stopped)} finished, {len(stopped)} pruned" in (search.path / "output.txt").read_text()


def test_the_winner_has_the_best_validation_accuracy_of_those_that_finished(search: Project) -> None:
    runs = [run for [run] in trials(search, "eight").values() if run.info.status == "FINISHED"]
    best = max(runs, key=lambda run: run.data.metrics["valid/accuracy"])
    parent = study(search, "eight")
    assert parent.data.metrics["best/valid/accuracy"] == best.data.metrics["valid/accuracy"]
    assert parent.data.tags["best.training.learning_rate"] == best.data.params["training.learning_rate"]
    preset = yaml.safe_load((search.path / "conf/eight/parameters.yml").read_text())
    assert str(preset["training"]["learning_rate"]) == best.data.params["training.learning_rate"]


def test_a_trial_alone_by_kedro_run_has_the_same_bits_as_in_the_search(search: Project, project: Project) -> None:
    name = max(bits(search, "eight"))
    rate, size, cell = drawn(search, "eight")[name]
    given = f"training.learning_rate={rate},model.hidden_size={size},model.cell={cell},training.threads=1"
    done = project.invoke("--params", f"{SEARCH[-1]},{given}", *TESTED)
    assert done.exit_code == 0, done.output
    assert project.last_run().data.tags["weights.sha256"] == bits(search, "eight")[name]


def test_an_interrupted_search_goes_on_with_more_trials_and_finds_what_an_undisturbed_one_does(
    search: Project, project: Project
) -> None:
    process = start(project, *SEARCH, "--trials", "6", "--name", "eight")
    wait_for(lambda: process.poll() is not None or len(project.checkpoints()) >= 3)
    process.send_signal(signal.SIGINT)
    process.wait()
    assert study(project, "eight").info.status == "KILLED"
    assert {"compare.html", "trials.csv"} <= {
        path.name for path in project.path.glob("data/08_reporting/eight/study/*")
    }
    done = sweep(project, *SEARCH, "--trials", "8", "--name", "eight")
    assert done.returncode == 0, done.stdout
    assert "of 8 trials had finished before" in done.stdout
    assert drawn(project, "eight") == drawn(search, "eight")
    assert bits(project, "eight") == bits(search, "eight")
    tags = ("best.training.learning_rate", "best.model.hidden_size", "best.model.cell")
    assert [study(project, "eight").data.tags[tag] for tag in tags] == [
        study(search, "eight").data.tags[tag] for tag in tags
    ]
