"""MLflow runs that were never trained, for the tests of what reads them."""

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
from click.testing import CliRunner, Result

from mnist_lstm.cli import cli
from mnist_lstm.core.evaluation.metrics import Predictions
from mnist_lstm.tracking import reader, store
from mnist_lstm.tracking.compare import runs
from mnist_lstm.tracking.compare.groups import Group, grouped
from mnist_lstm.tracking.compare.runs import Compared
from mnist_lstm.tracking.compare.verdicts import LIMITS, verdicts

IMAGES = 200
CURVES = [("train/loss", 10, 2.0), ("train/loss", 20, 1.0), ("valid/accuracy", 20, 0.5), ("valid/loss", 20, 1.2)]
LABELS = np.arange(IMAGES, dtype=np.uint8) % 10
CHOSEN: dict[str, Any] = {"training.seed": 1, "model.cell": "lstm"}  # parameters, unless a test says otherwise


def predicted(wrong: slice) -> Predictions:
    """Predictions that have the images of `wrong` wrong and all others right."""
    answers = LABELS.copy()
    answers[wrong] = (answers[wrong] + 1) % 10
    return Predictions(np.eye(10, dtype=np.float32)[answers], LABELS)


def tested(found: Predictions) -> list[tuple[str, int, float]]:
    """The metrics on the test images: name, update, value."""
    correct = int((found.logits.argmax(axis=1) == LABELS).sum())
    measured = {"correct": correct, "images": IMAGES, "accuracy": correct / IMAGES, "loss": 1 - correct / IMAGES}
    return [(f"test/{name}", 0, value) for name, value in measured.items()]


class Runs(ABC):
    """Runs that were never trained, and what `kedro compare` makes of them."""

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
        found = None if wrong is None else predicted(wrong)
        shown, used = {"data": f"{digest} bars"} | (tags or {}), CHOSEN | (params or {})
        return self._record(name, found, digest, status, used, shown, provenance)

    @abstractmethod
    def _record(
        self, name: str, found: Predictions | None, digest: str, status: str, params: Any, tags: Any, provenance: Any
    ) -> str:
        """Makes it, and returns its id."""

    @abstractmethod
    def read(self, *names: str) -> list[Compared]:
        """The runs of these names or ids."""

    def groups(self, *names: str) -> list[Group]:
        return grouped(self.read(*names))

    def verdicts(self, *names: str) -> list[str]:
        """The sentences about the runs, without the one that is always there."""
        found = verdicts(self.groups(*names))
        return found[:-1] if found[-1] == LIMITS else found


class PlainRuns(Runs):
    """What is read of such runs, without MLflow: for tests of what is made of it."""

    def __init__(self) -> None:
        self._runs: list[Compared] = []

    def _record(
        self, name: str, found: Predictions | None, digest: str, status: str, params: Any, tags: Any, provenance: Any
    ) -> str:
        run_id = f"{len(self._runs):032}"
        measured = CURVES + (tested(found) if found else [])
        used = SimpleNamespace(key="mlflow.data.context", value="test")
        entry = SimpleNamespace(
            info=SimpleNamespace(run_id=run_id, run_name=name, status=status),
            data=SimpleNamespace(
                params={key: str(value) for key, value in params.items()},
                metrics={key: value for key, _, value in measured},
                tags=tags,
            ),
            inputs=SimpleNamespace(
                dataset_inputs=[SimpleNamespace(dataset=SimpleNamespace(digest=digest), tags=[used])]
            ),
        )
        curves = {each: [(step, value) for key, step, value in CURVES if key == each] for each in reader.CURVES}
        self._runs.append(Compared(name, entry, found, curves, provenance or {}, {}))
        return run_id

    def read(self, *names: str) -> list[Compared]:
        known = {key: run for run in self._runs for key in (run.entry.info.run_id, run.head)}
        found = [known[name] for name in names]
        heads = runs.unique([(run.head, run.entry.info.run_id) for run in found])
        return [run._replace(head=head) for run, head in zip(found, heads, strict=True)]


@dataclass
class FakeRuns(Runs):
    """A folder with the project's configuration and an MLflow store, and runs that were never trained."""

    path: Path

    def __post_init__(self) -> None:
        self.client, uri, name, _ = store.opened(self.path)
        self.experiment = store.experiment_id(self.client, name, self.path, uri)

    def _record(
        self, name: str, found: Predictions | None, digest: str, status: str, params: Any, tags: Any, provenance: Any
    ) -> str:
        from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param

        run = self.client.create_run(self.experiment, run_name=name, tags=tags)
        measured = CURVES + (self._tested(run.info.run_id, found) if found else [])
        metrics = [Metric(key, value, 0, step) for key, step, value in measured]
        self.client.log_batch(run.info.run_id, metrics, [Param(key, str(value)) for key, value in params.items()])
        tag = InputTag("mlflow.data.context", "test")
        images = Dataset("bars test", digest, "local", "{}")
        self.client.log_inputs(run.info.run_id, [DatasetInput(images, [tag])])
        if provenance:
            self.client.log_dict(run.info.run_id, provenance, "provenance.json")
        self.client.set_terminated(run.info.run_id, status)
        time.sleep(0.002)  # the store orders runs by milliseconds
        return str(run.info.run_id)

    def _tested(self, run_id: str, found: Predictions) -> list[tuple[str, int, float]]:
        np.savez(self.path / "predictions.npz", logits=found.logits, labels=found.labels)
        self.client.log_artifact(run_id, str(self.path / "predictions.npz"))
        return tested(found)

    def read(self, *names: str, last: int | None = None) -> list[Compared]:
        return runs.read(self.path, names, last)

    def invoke(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, ["compare", *arguments], obj=SimpleNamespace(project_path=self.path))


@contextmanager
def without_tracking_uri() -> Iterator[None]:
    """Neither the machine's MLFLOW_TRACKING_URI nor the one that MLflow sets itself outlives or decides a test."""
    with mock.patch.dict(os.environ):
        os.environ.pop("MLFLOW_TRACKING_URI", None)
        yield
