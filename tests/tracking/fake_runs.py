"""MLflow runs that were never trained, for the tests of what reads them.

A test module asks for the fixture `fakes` by `pytest_plugins = ["tests.tracking.fake_runs"]`, and imports the rest
before pytest can rewrite its assertions (PYTEST_DONT_REWRITE).
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import pytest
from click.testing import CliRunner, Result
from kedro.framework.project import configure_project

from mnist_lstm.cli import cli
from mnist_lstm.tracking import store
from mnist_lstm.tracking.compare import runs
from mnist_lstm.tracking.compare.groups import Group, grouped
from mnist_lstm.tracking.compare.runs import Compared
from mnist_lstm.tracking.compare.verdicts import LIMITS, verdicts

REPOSITORY = Path(__file__).parents[2]
IMAGES = 200
CURVES = [("train/loss", 10, 2.0), ("train/loss", 20, 1.0), ("valid/accuracy", 20, 0.5), ("valid/loss", 20, 1.2)]
LABELS = np.arange(IMAGES, dtype=np.uint8) % 10


@dataclass
class FakeRuns:
    """A folder with the project's configuration and an MLflow store, and runs that were never trained."""

    path: Path

    def __post_init__(self) -> None:
        self.client, uri, name, _ = store.opened(self.path)
        self.experiment = store.experiment_id(self.client, name, self.path, uri)

    def record(
        self,
        name: str,
        wrong: slice | None,
        digest: str = "same",
        status: str = "FINISHED",
        params: dict[str, Any] | None = None,
        tags: dict[str, str] | None = None,
        provenance: dict[str, Any] | None = None,
    ) -> str:
        """A run that has the images of `wrong` wrong and all others right; None was killed before it was tested."""
        from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param

        run = self.client.create_run(self.experiment, run_name=name, tags={"data": f"{digest} bars"} | (tags or {}))
        measured = CURVES if wrong is None else CURVES + self._tested(run.info.run_id, wrong)
        metrics = [Metric(key, value, 0, step) for key, step, value in measured]
        chosen = {"training.seed": 1, "model.cell": "lstm"} | (params or {})
        self.client.log_batch(run.info.run_id, metrics, [Param(key, str(value)) for key, value in chosen.items()])
        tag = InputTag("mlflow.data.context", "test")
        images = Dataset("bars test", digest, "local", "{}")
        self.client.log_inputs(run.info.run_id, [DatasetInput(images, [tag])])
        if provenance:
            self.client.log_dict(run.info.run_id, provenance, "provenance.json")
        self.client.set_terminated(run.info.run_id, status)
        time.sleep(0.002)  # the store orders runs by milliseconds
        return str(run.info.run_id)

    def _tested(self, run_id: str, wrong: slice) -> list[tuple[str, int, float]]:
        predicted = LABELS.copy()
        predicted[wrong] = (predicted[wrong] + 1) % 10
        np.savez(self.path / "predictions.npz", logits=np.eye(10, dtype=np.float32)[predicted], labels=LABELS)
        self.client.log_artifact(run_id, str(self.path / "predictions.npz"))
        correct = int((predicted == LABELS).sum())
        measured = {"correct": correct, "images": IMAGES, "accuracy": correct / IMAGES, "loss": 1 - correct / IMAGES}
        return [(f"test/{name}", 0, value) for name, value in measured.items()]

    def read(self, *names: str, last: int | None = None) -> list[Compared]:
        return runs.read(self.path, names, last)

    def groups(self, *names: str) -> list[Group]:
        return grouped(self.read(*names))

    def verdicts(self, *names: str) -> list[str]:
        """The sentences about the runs, without the one that is always there."""
        found = verdicts(self.groups(*names))
        return found[:-1] if found[-1] == LIMITS else found

    def invoke(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, ["compare", *arguments], obj=SimpleNamespace(project_path=self.path))


def pytest_configure(config: pytest.Config) -> None:
    """Lets a warning pass that MLflow causes within itself."""
    config.addinivalue_line("filterwarnings", "ignore:The ``noload`` loader strategy is deprecated:DeprecationWarning")


@pytest.fixture(scope="session")
def empty_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project without runs; to make a store takes seconds, to copy it none."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(REPOSITORY / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
    (folder / "conf/local").mkdir()
    configure_project("mnist_lstm")
    with without_tracking_uri():
        store.opened(folder)
    return folder


@pytest.fixture
def fakes(empty_project: Path, tmp_path: Path) -> Iterator[FakeRuns]:
    """A project whose runs each test makes; the terminal has 100 columns."""
    shutil.copytree(empty_project, tmp_path, dirs_exist_ok=True)
    with without_tracking_uri(), mock.patch.dict(os.environ, {"COLUMNS": "100"}):
        yield FakeRuns(tmp_path)


@contextmanager
def without_tracking_uri() -> Iterator[None]:
    """Neither the machine's MLFLOW_TRACKING_URI nor the one that MLflow sets itself outlives or decides a test."""
    with mock.patch.dict(os.environ):
        os.environ.pop("MLFLOW_TRACKING_URI", None)
        yield
