"""Whole sweeps in a copy of the project, and what they left in MLflow."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

from click.testing import CliRunner
from kedro.framework.startup import bootstrap_project

from tests.support.projects import KEDRO, LONGEST, Project, copied, surroundings

PARENT = "mlflow.parentRunId"
DIGITS = ["--params", "data.name=digits,training.iterations=60,training.validate_every=10,training.report_seconds=0.0"]
RANGES = [
    *("--search", "training.learning_rate=log:1e-4:1e-1"),
    *("--search", "model.hidden_size=4:16"),
    *("--search", "model.cell=lstm,gru"),
]  # of which, in eight trials, some are pruned


def sweep(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
    """`kedro sweep` in a process of its own; `stdout` holds errors too."""
    return subprocess.run(
        [KEDRO, "sweep", *words],
        cwd=project.path,
        env=surroundings(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST,
    )


def start(project: Project, *words: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [KEDRO, "sweep", *words],
        cwd=project.path,
        env=surroundings(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


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


def made(folder: Path, store: Path) -> Project:
    """A copy of the project, with a copy of the store."""
    project = copied(folder)
    (folder / "mlflow.db").write_bytes(store.read_bytes())
    return project


def invoke(project: Project, *words: str) -> Any:
    """`kedro sweep` in this process."""
    patched = mock.patch.dict(os.environ, surroundings(), clear=True)
    with patched, mock.patch.object(sys, "path", [*sys.path]):
        metadata = bootstrap_project(project.path)
        from mnist_lstm.cli import sweep as command

        return CliRunner().invoke(command, words, obj=metadata)
