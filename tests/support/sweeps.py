"""Whole sweeps in a copy of the project, and what they left in MLflow."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import KEDRO, Project, called, copied, made_once, started

PARENT = "mlflow.parentRunId"
PACE = "data.name=digits,training.report_seconds=0.0,training.iterations"
LONG = f"{PACE}=200,training.validate_every=20,model.hidden_size=8"  # enough for a trial to be ended while it runs
GRID = ["--grid", "sequence.view=rows,columns,patches", "--seeds", "2", "--params", LONG]
RANGES = [
    *("--search", "training.learning_rate=log:1e-4:1e-1"),
    *("--search", "model.hidden_size=4:16"),
    *("--search", "model.cell=lstm,gru"),
]
SEARCH = [*RANGES, "--params", f"{PACE}=60,training.validate_every=10"]  # of eight trials, some are pruned


@pytest.fixture(scope="session")
def grid(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Project:
    """A project in which a grid of six trials ran, two at a time."""
    return swept(tmp_path_factory, empty_store, "grid", *GRID, "--name", "six", "--workers", "2")


@pytest.fixture(scope="session")
def search(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Project:
    """A project in which a search of eight trials ran."""
    return swept(tmp_path_factory, empty_store, "search", *SEARCH, "--trials", "8", "--name", "eight")


def swept(tmp_path_factory: pytest.TempPathFactory, store: Path, name: str, *words: str) -> Project:
    """A project in which a sweep ran; its output is in output.txt."""

    def make(folder: Path) -> None:
        done = sweep(copied(folder, store), *words)
        (folder / "output.txt").write_text(done.stdout)
        assert done.returncode == 0, done.stdout

    return Project(made_once(tmp_path_factory, name, make))


def sweep(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
    """`kedro sweep` in a process of its own; `stdout` holds errors too."""
    return called([KEDRO, "sweep", *words], project.path)


def start(project: Project, *words: str) -> "subprocess.Popen[bytes]":
    """The same, and does not wait for it; its output goes to the file output.txt."""
    with (project.path / "output.txt").open("w") as output:
        return started([KEDRO, "sweep", *words], project.path, output)


def study(project: Project, name: str) -> Any:
    """The parent run."""
    (found,) = [run for run in project.runs() if run.data.tags.get("sweep") == name]
    return found


def trials(project: Project, name: str) -> dict[str, list[Any]]:
    """The child runs by name, without the winner's."""
    parent = study(project, name).info.run_id
    found: dict[str, list[Any]] = {}
    for run in project.runs():
        if run.data.tags.get(PARENT) == parent and not run.info.run_name.startswith("winner "):
            found.setdefault(run.info.run_name, []).append(run)
    return found


def bits(project: Project, name: str) -> dict[str, str]:
    """The digest of each trial's weights, of the run that finished."""
    return {
        trial: run.data.tags["weights.sha256"]
        for trial, runs in trials(project, name).items()
        for run in runs
        if run.info.status == "FINISHED"
    }


def outcomes(project: Project, name: str) -> dict[str, tuple[str, str]]:
    """Status and reason of each trial, of its last run."""
    return {
        trial: (run.info.status, run.data.tags.get("reason", "")) for trial, (run, *_) in trials(project, name).items()
    }


def running(project: Project) -> list[Any]:
    """The trials that run."""
    return [run for run in project.runs() if run.info.status == "RUNNING" and "sweep" not in run.data.tags]
