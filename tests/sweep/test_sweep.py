"""Whole sweeps on the bundled digits: the same bits alone, in parallel and after a kill, and no trial lost."""

import csv
import re
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from mnist_lstm.console import DOES
from tests.support.projects import Project, wait_for
from tests.sweep.sweeps import bits, made, start, study, sweep, trials

pytestmark = pytest.mark.slow

DIGITS = ["--params", "data.name=digits,training.iterations=40,training.validate_every=10,training.report_seconds=0.0"]
GRID = ["--grid", "model.hidden_size=6,8,10", "--seeds", "2", "--name", "six", *DIGITS]


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Project:
    """A project in which a grid of six trials ran, two at a time."""
    project = made(tmp_path_factory.mktemp("grid"), empty_store)
    done = sweep(project, *GRID, "--workers", "2")
    (project.path / "output.txt").write_text(done.stdout)
    assert done.returncode == 0, done.stdout
    return project


def test_each_trial_of_a_grid_is_a_finished_run_below_the_study(grid: Project) -> None:
    assert study(grid, "six").info.status == "FINISHED"
    found = trials(grid, "six")
    assert sorted(found) == [f"hidden_size={size} seed={seed}" for size in (10, 6, 8) for seed in (1, 2)]
    assert [run.info.status for runs in found.values() for run in runs] == ["FINISHED"] * 6


def test_only_the_winner_is_tested_and_registered(grid: Project) -> None:
    tested = [run for run in grid.runs() if "test/accuracy" in run.data.metrics]
    assert [run.info.run_name.partition(" ")[0] for run in tested] == ["winner"]
    assert study(grid, "six").data.tags["winner"] == tested[0].info.run_id
    assert [version.run_id for version in grid.client().search_model_versions()] == [tested[0].info.run_id]


def test_the_winner_is_the_setting_with_the_best_mean_over_its_seeds(grid: Project) -> None:
    found = trials(grid, "six")
    means = {
        size: sum(found[f"hidden_size={size} seed={seed}"][0].data.metrics["valid/accuracy"] for seed in (1, 2)) / 2
        for size in (6, 8, 10)
    }
    best = max(means, key=lambda size: means[size])
    parent = study(grid, "six")
    assert parent.data.tags["best.model.hidden_size"] == str(best)
    assert parent.data.metrics["best/valid/accuracy"] == pytest.approx(means[best])


def test_the_winner_has_the_weights_of_its_trial(grid: Project) -> None:
    (winner,) = [run for run in grid.runs() if run.info.run_name.startswith("winner ")]
    assert winner.data.tags["weights.sha256"] == bits(grid, "six")[winner.info.run_name.removeprefix("winner ")]


def test_a_trial_alone_by_kedro_run_has_the_same_bits_as_in_the_sweep(grid: Project, project: Project) -> None:
    done = project.invoke("--params", f"{DIGITS[1]},model.hidden_size=8,training.seed=2,training.threads=1")
    assert done.exit_code == 0, done.output
    assert project.last_run().data.tags["weights.sha256"] == bits(grid, "six")["hidden_size=8 seed=2"]


def test_the_images_are_read_once_for_all_trials(grid: Project) -> None:
    (prepared,) = (grid.path / "data/05_model_input/sweep").iterdir()
    logs = "".join(path.read_text() for path in (grid.path / "data/08_reporting/six").glob("worker-*.log"))
    assert sorted(path.name for path in prepared.iterdir())[0] == "data_card.json"
    assert logs.count(f"ingest     {DOES['ingest']}") == 2  # and that of the winner's whole run
    assert logs.count(f"train      {DOES['train']}") == 7


def test_the_study_lists_its_trials_and_draws_them(grid: Project) -> None:
    parent = study(grid, "six")
    artifacts = {file.path for file in grid.client().list_artifacts(parent.info.run_id)}
    assert artifacts == {"compare.html", "parameters.yml", "study.html", "trials.csv"}
    with (grid.path / "data/08_reporting/six/study/trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["trial"] for row in rows][:2] == ["hidden_size=6 seed=1", "hidden_size=6 seed=2"]
    page = (grid.path / "data/08_reporting/six/study/study.html").read_text()
    assert page.count('class="plotly-graph-div"') == 2  # importances need 20 trials
    assert not re.search(r"<(script|link|img)[^>]*(src|href)=(?!.data:)", page)  # it opens without a network
    assert 'href="compare.html"' in page
    assert "hidden_size=6 seeds 1, 2" in (grid.path / "data/08_reporting/six/study/compare.html").read_text()


def test_all_settings_have_run_with_the_first_seed_before_the_second_begins(grid: Project) -> None:
    started = sorted((runs[0].info.start_time, name) for name, runs in trials(grid, "six").items())
    seeds = [name.rpartition("=")[2] for _, name in started]
    assert seeds[:2] == ["1", "1"]  # of two workers, the third and fourth may swap
    assert seeds[4:] == ["2", "2"]


def test_the_winner_is_a_preset_that_says_what_it_costs_and_reaches(grid: Project) -> None:
    preset = grid.path / "conf/six/parameters.yml"
    values = yaml.safe_load(preset.read_text())
    assert set(values) <= {"data", "model", "training"}
    assert values["training"] == {"iterations": 40, "validate_every": 10, "threads": 1}
    opening = preset.read_text().partition("\n\n")[0]
    assert "`kedro run --env six`" in opening
    assert re.search(r"\d s of training and validation on \d+ cores \(.* GPU\)", opening)
    assert re.search(r"test/accuracy 0\.\d{4}", opening)


def test_without_a_terminal_each_trial_is_a_line(grid: Project) -> None:
    output = (grid.path / "output.txt").read_text()
    assert output.count("  trial ") == 6
    assert "  trial 6 of 6  " in output
    assert "\x1b" not in output


def test_the_same_command_again_runs_nothing_again(grid: Project) -> None:
    before = len(grid.runs())
    again = sweep(grid, *GRID)
    assert again.returncode == 0, again.stdout
    assert "6 of 6 trials had finished before" in again.stdout
    assert len(grid.runs()) == before


def test_another_sweep_does_not_take_the_name(grid: Project) -> None:
    refused = sweep(grid, *GRID, "--metric", "valid/loss")
    assert refused.returncode == 1
    assert refused.stdout.splitlines()[-1].startswith("Error: the study 'six' is another one: --metric is 'valid/loss'")


def test_a_sweep_that_is_killed_goes_on_and_ends_with_the_same_bits(
    grid: Project, tmp_path: Path, empty_store: Path
) -> None:
    project = made(tmp_path, empty_store)
    process = start(project, *GRID)
    wait_for(lambda: process.poll() is not None or len(project.checkpoints()) == 3)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    wait_for(lambda: not any(worker.is_running() for worker in workers))
    done = sweep(project, *GRID)
    assert done.returncode == 0, done.stdout
    assert bits(project, "six") == bits(grid, "six")
    finished = [[run for run in runs if run.info.status == "FINISHED"] for runs in trials(project, "six").values()]
    assert [len(runs) for runs in finished] == [1] * 6
    assert study(project, "six").info.status == "FINISHED"
    assert sum(len(runs) for runs in trials(project, "six").values()) <= 7


def test_a_worker_that_is_killed_fails_its_trial_alone_and_is_replaced(project: Project) -> None:
    process = start(project, "--grid", "model.hidden_size=6,8,10", "--name", "three", *DIGITS)
    wait_for(lambda: process.poll() is not None or bool(running(project)))
    (lost,) = running(project)
    (worker,) = [child for child in psutil.Process(process.pid).children() if "spawn_main" in " ".join(child.cmdline())]
    worker.kill()
    assert process.wait() == 0
    statuses = {name: run.info.status for name, [run] in trials(project, "three").items()}
    assert statuses == dict.fromkeys(statuses, "FINISHED") | {lost.info.run_name: "FAILED"}
    (found,) = trials(project, "three")[lost.info.run_name]
    assert found.data.tags["reason"] == "its process was ended by SIGKILL"


def running(project: Project) -> list[Any]:
    """The trials that run."""
    return [run for run in project.runs() if run.info.status == "RUNNING" and "sweep" not in run.data.tags]


def test_a_failing_trial_is_recorded_and_the_sweep_goes_on(project: Project) -> None:
    done = sweep(project, "--grid", "training.learning_rate=1e38,0.01", "--name", "two", *DIGITS)
    assert done.returncode == 0, done.stdout
    found = trials(project, "two")
    (failed,) = found["learning_rate=1e+38"]
    assert failed.info.status == "FAILED"
    assert "must stay finite" in failed.data.tags["reason"]
    assert found["learning_rate=0.01"][0].info.status == "FINISHED"
    assert "2 trials, 1 finished, 1 failed" in done.stdout


def test_fail_fast_stops_at_the_first_that_fails(project: Project) -> None:
    done = sweep(project, "--grid", "training.learning_rate=1e38,0.01", "--name", "two", "--fail-fast", *DIGITS)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("Error: trial 'learning_rate=1e+38' failed: ")
    assert list(trials(project, "two")) == ["learning_rate=1e+38"]
    assert study(project, "two").info.status == "FAILED"


def test_views_are_prepared_once_each(project: Project) -> None:
    done = sweep(project, "--grid", "sequence.view=rows,columns", "--seeds", "2", "--name", "views", *DIGITS)
    assert done.returncode == 0, done.stdout
    assert len(list((project.path / "data/05_model_input/sweep").iterdir())) == 2
    assert len(set(bits(project, "views").values())) == 4
