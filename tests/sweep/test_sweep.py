"""Whole sweeps on the bundled digits: the same bits alone, in parallel and after a kill, and no trial lost."""

import csv
import re
from pathlib import Path

import psutil
import pytest
import yaml

from mnist_lstm.console import DOES
from tests.support.projects import TESTED, Project, wait_for
from tests.support.sweeps import GRID, LONG, bits, outcomes, running, start, study, sweep, trials

pytestmark = pytest.mark.slow


def test_each_trial_of_a_grid_is_a_finished_run_below_the_study(grid: Project) -> None:
    assert study(grid, "six").info.status == "FINISHED"
    found = trials(grid, "six")
    assert sorted(found) == [f"view={view} seed={seed}" for view in ("columns", "patches", "rows") for seed in (1, 2)]
    assert [run.info.status for runs in found.values() for run in runs] == ["FINISHED"] * 6
    assert len(set(bits(grid, "six").values())) == 6


def test_only_the_winner_is_tested_and_registered_with_the_weights_of_its_trial(grid: Project) -> None:
    (winner,) = [run for run in grid.runs() if "test/accuracy" in run.data.metrics]
    word, _, trial = winner.info.run_name.partition(" ")
    assert (word, winner.data.tags["weights.sha256"]) == ("winner", bits(grid, "six")[trial])
    assert study(grid, "six").data.tags["winner"] == winner.info.run_id
    assert [version.run_id for version in grid.client().search_model_versions()] == [winner.info.run_id]


def test_the_winner_is_the_setting_with_the_best_mean_over_its_seeds(grid: Project) -> None:
    found = trials(grid, "six")
    means = {
        view: sum(found[f"view={view} seed={seed}"][0].data.metrics["valid/accuracy"] for seed in (1, 2)) / 2
        for view in ("rows", "columns", "patches")
    }
    best = max(means, key=lambda view: means[view])
    parent = study(grid, "six")
    assert parent.data.tags["best.sequence.view"] == best
    assert parent.data.metrics["best/valid/accuracy"] == pytest.approx(means[best])


def test_a_trial_alone_by_kedro_run_has_the_same_bits_as_in_the_sweep(grid: Project, project: Project) -> None:
    done = project.invoke("--params", f"{LONG},sequence.view=columns,training.seed=2,training.threads=1", *TESTED)
    assert done.exit_code == 0, done.output
    assert project.last_run().data.tags["weights.sha256"] == bits(grid, "six")["view=columns seed=2"]


def test_each_view_of_the_images_is_prepared_once_for_all_trials(grid: Project) -> None:
    prepared = [*(grid.path / "data/05_model_input/sweep").iterdir()]
    logs = "".join(path.read_text() for path in (grid.path / "data/08_reporting/six").glob("worker-*.log"))
    assert [(folder / "data_card.json").is_file() for folder in prepared] == [True] * 3
    assert logs.count(f"ingest     {DOES['ingest']}") == 4  # and that of the winner's whole run
    assert logs.count(f"train      {DOES['train']}") == 7


def test_the_study_lists_its_trials_and_draws_them(grid: Project) -> None:
    parent = study(grid, "six")
    artifacts = {file.path for file in grid.client().list_artifacts(parent.info.run_id)}
    assert artifacts == {"compare.html", "parameters.yml", "study.html", "trials.csv"}
    with (grid.path / "data/08_reporting/six/study/trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["trial"] for row in rows][:2] == ["view=rows seed=1", "view=rows seed=2"]
    page = (grid.path / "data/08_reporting/six/study/study.html").read_text()
    assert page.count('class="plotly-graph-div"') == 2  # importances need 20 trials
    assert not re.search(r"<(script|link|img)[^>]*(src|href)=(?!.data:)", page)  # it opens without a network
    assert 'href="compare.html"' in page
    assert "view=rows seeds 1, 2" in (grid.path / "data/08_reporting/six/study/compare.html").read_text()


def test_all_settings_run_with_the_first_seed_before_the_second_begins_and_are_a_line_each(grid: Project) -> None:
    started = sorted((runs[0].info.start_time, name) for name, runs in trials(grid, "six").items())
    seeds = [name.rpartition("=")[2] for _, name in started]
    assert (seeds[:2], seeds[4:]) == (["1", "1"], ["2", "2"])  # of two workers, the third and fourth may swap
    output = (grid.path / "output.txt").read_text()
    assert (output.count("  trial "), "  trial 6 of 6  " in output, "\x1b" in output) == (6, True, False)


def test_the_winner_is_a_preset_that_says_what_it_costs_and_reaches(grid: Project) -> None:
    preset = grid.path / "conf/six/parameters.yml"
    values = yaml.safe_load(preset.read_text())
    assert set(values) <= {"data", "model", "sequence", "training"}
    assert values["training"] == {"iterations": 200, "validate_every": 20, "threads": 1}
    opening = preset.read_text().partition("\n\n")[0]
    assert "`kedro run --env six`" in opening
    assert re.search(r"\d s of training and validation on \d+ cores \(.* GPU\)", opening)
    assert re.search(r"test/accuracy 0\.\d{4}", opening)


def test_the_same_command_again_runs_nothing_again(grid: Project, tmp_path: Path) -> None:
    project = grid.copied_to(tmp_path)
    again = sweep(project, *GRID, "--name", "six")
    assert again.returncode == 0, again.stdout
    assert "6 of 6 trials had finished before" in again.stdout
    assert len(project.runs()) == len(grid.runs())


def test_a_sweep_that_is_killed_goes_on_and_ends_with_the_same_bits(grid: Project, project: Project) -> None:
    process = start(project, *GRID, "--name", "six")
    wait_for(lambda: process.poll() is not None or len(project.checkpoints()) == 3)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    wait_for(lambda: not any(worker.is_running() for worker in workers))
    done = sweep(project, *GRID, "--name", "six")
    assert done.returncode == 0, done.stdout
    assert bits(project, "six") == bits(grid, "six")
    finished = [[run for run in runs if run.info.status == "FINISHED"] for runs in trials(project, "six").values()]
    assert [len(runs) for runs in finished] == [1] * 6
    assert study(project, "six").info.status == "FINISHED"
    assert sum(len(runs) for runs in trials(project, "six").values()) <= 7


RATES = ["--grid", "training.learning_rate=1e38,0.001,0.01", "--params", LONG, "--name", "three"]
DIVERGES = "learning_rate=1e+38"  # which the order that the seed draws puts first


def test_a_trial_that_fails_and_one_whose_worker_is_killed_are_recorded_and_the_sweep_goes_on(project: Project) -> None:
    process, lost = start(project, *RATES), list[str]()

    def others_run() -> bool:
        lost[:] = {run.info.run_name for run in running(project)} - {DIVERGES}
        return bool(lost) or process.poll() is not None

    wait_for(others_run)
    (worker,) = [child for child in psutil.Process(process.pid).children() if "spawn_main" in " ".join(child.cmdline())]
    worker.kill()
    assert process.wait() == 0
    found = outcomes(project, "three")
    assert found.pop(lost[0]) == ("FAILED", "its process was ended by SIGKILL")
    status, reason = found.pop(DIVERGES)
    assert (status, "must stay finite" in reason) == ("FAILED", True)
    assert [*found.values()] == [("FINISHED", "")]
    assert "3 trials, 1 finished, 2 failed" in (project.path / "output.txt").read_text()


def test_fail_fast_stops_at_the_first_that_fails(project: Project) -> None:
    done = sweep(project, *RATES, "--fail-fast")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith(f"Error: trial '{DIVERGES}' failed: ")
    assert list(trials(project, "three")) == [DIVERGES]
    assert study(project, "three").info.status == "FAILED"
