"""Throw-away copies of the project, and `kedro run` in them; conftest.py gives the fixtures to every test."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml
from click.testing import CliRunner, Result
from filelock import FileLock

from mnist_lstm.data_parameters import DataParameters
from tests.support.guard import guarded

REPOSITORY = Path(__file__).parents[2]
KEDRO = str(Path(sys.executable).with_name("kedro"))
# What tests expect, whatever conf/base says in a project that was made from this one
PINNED = "data: {name: mnist}\nmodel: {cell: lstm}\nsequence: {view: rows}\n"
DIGITS = "data.name=digits,training.iterations=30"
TESTED = ("--to-nodes", "score")  # trains and tests; what exports a model or draws takes seconds more
PLAIN = ("--pipelines", "without_figures")
CLOSED = "http://127.0.0.1:9/"  # a mirror where nothing listens
LONGEST = 400  # seconds that a run may take before its test gives up; no verdict on its speed
SETTINGS = ("KEDRO_", "MLFLOW_")  # environment variables of the machine that must not decide what a test sees


def data_parameters(**changes: Any) -> DataParameters:
    """The block `data` of conf/base/parameters.yml with changes."""
    block = yaml.safe_load((REPOSITORY / "conf/base/parameters.yml").read_text())["data"]
    return DataParameters.model_validate(block | changes)


@dataclass(frozen=True)
class Project:
    """A copy of the project's configuration with empty data folders, on this repository's code.

    Attributes:
        path: its root.
    """

    path: Path

    def run(self, *options: str, folder: str = ".", **environment: str) -> subprocess.CompletedProcess[str]:
        """`kedro run` in a process of its own, started in a folder of the project; `stdout` holds errors too."""
        return called([KEDRO, "run", *options], self.path / folder, **environment)

    def start(self, *options: str, **environment: str) -> "subprocess.Popen[bytes]":
        """`kedro run` in a process of its own, which goes on; its output goes to the file output.txt."""
        with (self.path / "output.txt").open("a") as output:
            return started([KEDRO, "run", *options], self.path, output, **environment)

    def start_training(self, *options: str, **environment: str) -> "subprocess.Popen[bytes]":
        """The same, and returns when training has reported, and saved its history, twice."""
        history, reports = self.path / "data/08_reporting/history.csv", set()
        process = self.start(*options, **environment)

        def has_reported_twice() -> bool:
            if history.exists():
                reports.add(history.stat().st_mtime_ns)
            return len(reports) > 1

        wait_for(lambda: process.poll() is not None or has_reported_twice())
        assert process.poll() is None, (self.path / "output.txt").read_text()
        return process

    def invoke(self, *options: str, folder: str = ".", **environment: str) -> Result:
        """`kedro run` in this process: its imports are done already, so it takes a second."""
        return self.call("run", *options, folder=folder, **environment)

    def call(self, *words: str, folder: str = ".", **environment: str) -> Result:
        """`kedro` with these words, of a command of the project's own, in this process."""
        patched = mock.patch.dict(os.environ, surroundings() | environment, clear=True)
        with patched, mock.patch.object(sys, "path", [*sys.path]), contextlib.chdir(self.path / folder):
            from kedro.framework.startup import bootstrap_project

            metadata = bootstrap_project(self.path)
            from mnist_lstm.cli import cli

            return CliRunner().invoke(cli, words, obj=metadata)

    def copied_to(self, folder: Path) -> "Project":
        """A copy of this project with its data, in which a test may run more; its store knows the same runs."""
        made = copied(folder)
        shutil.copytree(self.path / "data", folder / "data", dirs_exist_ok=True)
        shutil.copy(self.path / "mlflow.db", folder)
        shutil.copytree(self.path / "mlartifacts", folder / "mlartifacts")
        return made

    def set_mirrors(self, *mirrors: str) -> None:
        """Gives MNIST other mirrors, by conf/local."""
        catalog = yaml.safe_load((self.path / "conf/base/catalog.yml").read_text())
        sources = catalog["image_sources"]
        sources["idx"]["mnist"]["mirrors"] = list(mirrors)
        (self.path / "conf/local/catalog.yml").write_text(yaml.safe_dump({"image_sources": sources}, sort_keys=False))

    def read(self, name: str) -> dict[str, Any]:
        """A JSON file below data/."""
        found: dict[str, Any] = json.loads((self.path / "data" / name).read_text())
        return found

    def checkpoints(self) -> list[Path]:
        """The files of all checkpoints."""
        return list((self.path / "data/06_models/checkpoints").glob("[!.]*.pt"))

    def client(self) -> Any:
        """MLflow's client of the project's own store."""
        import mlflow

        return mlflow.MlflowClient(f"sqlite:///{self.path / 'mlflow.db'}")

    def last_run(self) -> Any:
        """The newest recorded run."""
        return self.runs()[0]

    def runs(self) -> list[Any]:
        """The recorded runs, newest first."""
        client = self.client()
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        return list(client.search_runs(experiments, order_by=["attributes.start_time DESC"]))


def surroundings() -> dict[str, str]:
    """The environment of a `kedro run` on this repository's code, on one thread, as several may run at once."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    return kept | {
        "PYTHONPATH": str(REPOSITORY / "src"),
        "OMP_NUM_THREADS": "1",
        "KEDRO_DISABLE_TELEMETRY": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def started(command: list[str], folder: Path, output: Any, **environment: str) -> "subprocess.Popen[bytes]":
    """A command with these surroundings that goes on, with its output and errors in a file."""
    given = surroundings() | environment
    where: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.STDOUT}
    return subprocess.Popen(command, cwd=folder, env=given, **where)


def called(command: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The same, once it has ended; `stdout` holds errors too."""
    with started(command, folder, subprocess.PIPE, **environment) as process:
        try:
            output, _ = process.communicate(timeout=LONGEST)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(command, process.returncode, output.decode())


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(condition: Callable[[], bool]) -> None:
    """Returns once `condition` holds."""
    end = time.monotonic() + LONGEST
    while not condition():
        assert time.monotonic() < end, f"waited {LONGEST} s in vain"
        time.sleep(0.05)


def mistake(done: Result) -> str:
    """What a command that failed reports in its last line."""
    assert done.exit_code == 1, done.output
    assert "Traceback" not in done.output
    start, error, words = done.output.splitlines()[-1].partition("Error: ")
    assert (start, error) == ("", "Error: "), done.output
    return str(words)


def copied(folder: Path, store: Path | None = None) -> Project:
    """A copy of the project in `folder`, with a copy of a store where one is given."""
    shutil.copytree(REPOSITORY / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(REPOSITORY / name, folder)
    (folder / "conf/local").mkdir()
    (folder / "conf/local/parameters.yml").write_text(f"training: {{threads: 1}}\n{PINNED}")
    (folder / "src").mkdir()  # Kedro wants one; the code is that of this repository
    for data in (REPOSITORY / "data").iterdir():
        (folder / "data" / data.name).mkdir(parents=True)
    if store:
        shutil.copy(store, folder)
    return Project(folder)


def made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that the first worker that asks for it fills by `make`, and all workers of this session share."""
    base = tmp_path_factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = root / name, root / f"{name}.done"
    with FileLock(root / f"{name}.lock"):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)  # what a worker left whose `make` failed
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow store without runs; to make one takes seconds, to copy it none."""
    from mnist_lstm.tracking import store

    def make(folder: Path) -> None:
        with mock.patch.dict(os.environ):
            store.client(folder, store.tracking_uri(folder, f"sqlite:///{folder / store.DATABASE}"))

    return made_once(tmp_path_factory, "store", make) / store.DATABASE


@pytest.fixture
def project(tmp_path: Path, empty_store: Path) -> Project:
    """A copy of the project, with a store."""
    return copied(tmp_path, empty_store)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Project:
    """A project in which `kedro run --params data.name=digits` ran, guarded; tests only read it."""

    def make(folder: Path) -> None:
        guard = guarded(folder.with_name("guard"))
        done = copied(folder, empty_store).run("--params", "data.name=digits", **guard)
        (folder / "output.txt").write_text(done.stdout)
        assert done.returncode == 0, done.stdout

    return Project(made_once(tmp_path_factory, "finished", make))


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Project:
    """A project in which `kedro run --params DIGITS --pipelines without_figures` ran; tests only read it."""

    def make(folder: Path) -> None:
        done = copied(folder, empty_store).invoke("--params", DIGITS, *PLAIN)
        assert done.exit_code == 0, done.output

    return Project(made_once(tmp_path_factory, "short", make))
