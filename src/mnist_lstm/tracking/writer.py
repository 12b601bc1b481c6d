"""One MLflow run: what is written into it, and when."""

import json
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mnist_lstm.core.data.data_card import DataCard
from mnist_lstm.core.model.export import ExportedModel
from mnist_lstm.core.training import checkpoint
from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.tracking import registry
from mnist_lstm.tracking.registry import Candidate, valid_accuracy
from mnist_lstm.tracking.spool.operations import FINGERPRINT, PRECISION
from mnist_lstm.tracking.spool.outbox import Outbox
from mnist_lstm.tracking.store import RegistrySettings

logger = logging.getLogger(__name__)

DIGEST = 32  # characters of a SHA-256 that MLflow's dataset digest has room for
MOST_METRICS = 1000  # in one call, MLflow's limit
LONGEST_TAG = 5000
WEIGHTS, UPDATES = "weights.sha256", "training.updates"  # tags
INTERRUPTED = " interrupted"  # in the name of a run that goes on with a training that has not ended
CURVES = {
    "train_loss": "train/loss",
    "train_accuracy": "train/accuracy",
    "learning_rate": "train/learning_rate",
    "valid_loss": "valid/loss",
    "valid_accuracy": "valid/accuracy",
}  # columns of the history, and the metrics they are recorded as


class Recorder:
    """Writes one run that has been started.

    Curves, datasets and the model are written as they come; what may still change, at the end.

    Args:
        client: of MLflow, for this run.
        about: its provenance so far.
        name: makes the run's name from the name of its data.
    """

    def __init__(self, client: Outbox, about: dict[str, Any], name: Callable[[str], str]):
        self._client = client
        self._about = about
        self._name = name
        self._folder = tempfile.TemporaryDirectory(prefix="mnist_lstm-")
        self.artifacts = Path(self._folder.name)
        self._rows = 0  # of the history that are written
        self._metrics: dict[str, float] = {}
        self._card: DataCard | None = None
        self._checkpoint: Checkpoint | None = None
        self._apart = ""  # what the name ends with
        self._exported = False
        self._finished = False

    @property
    def run_id(self) -> str:
        """MLflow's; empty before the run is made there."""
        return self._client.run_id or ""

    @property
    def place(self) -> str:
        """Where the run is, for people."""
        return self._client.place

    def record(self, kind: str, data: Any) -> None:
        """Records what the catalog saved, as the dataset's entry says; files are copied into `artifacts` instead."""
        writers: dict[str, Callable[[Any], None]] = {
            "data": self._data,
            "history": self._history,
            "metrics": self._numbers,
            "model": self._model,
            "checkpoint": self._keep_checkpoint,
        }
        if kind != "artifact":
            writers[kind](data)

    def goes_on_with(self, read: Checkpoint) -> None:
        """Tells of a checkpoint that a run reads and did not make: if its training has not ended, its updates."""
        if self._checkpoint is None and not self._apart and not read.state.ended:
            self._client.set_tag(self.run_id, UPDATES, str(read.state.iteration))
            self._apart = INTERRUPTED
            self._rename()

    def _rename(self) -> None:
        """After the data that the run is really on."""
        data = self._card.name if self._card else self._about["parameters"]["data"]["name"]
        self._client.update_run(self.run_id, name=f"{self._name(data)}{self._apart}")

    def end(self, status: str, reason: str) -> None:
        """Writes what was kept for the end, and ends the run with a status of MLflow's.

        A run whose last files cannot be written (a full disk, say) still gets its status.
        """
        try:
            self._write_last()
        except Exception as error:
            logger.warning("The run's record misses its last files: %s", error)
            status, reason = ("FAILED" if status == "FINISHED" else status), reason or str(error)
        if reason:
            self._client.set_tag(self.run_id, "reason", reason[:LONGEST_TAG])
        self._client.set_terminated(self.run_id, status)
        self._finished = status == "FINISHED"
        self._folder.cleanup()

    def _write_last(self) -> None:
        if self._checkpoint:
            self._write_checkpoint(self._checkpoint)
        self._log_metrics([(name, value, 0) for name, value in self._metrics.items()], self._test_set())
        self.write_provenance()
        self._client.log_artifacts(self.run_id, str(self.artifacts))

    def register(self, project: Path, settings: RegistrySettings) -> str | None:
        """Registers the model of the finished run and returns the decision about it in words.

        None if the run did not train, export and evaluate, or the store has no registry: that fails no run.
        """
        if not (
            self._finished and self._card and self._checkpoint and self._exported and "test/accuracy" in self._metrics
        ):
            return None
        card, accuracy = self._card, valid_accuracy(self._checkpoint)
        candidate = Candidate(self.run_id, self._client.model_id or "", card.name, card.sha256["valid"], accuracy)
        if not self._client.complete:
            self._client.keep("register", settings=settings.model_dump(), candidate=candidate._asdict())
            return None
        try:
            return registry.register(self._client, project, settings, candidate)
        except Exception as error:
            logger.warning("The model is recorded, but not registered: %s", error)
            return None

    def write_provenance(self) -> None:
        """Writes provenance.json among the artifacts, in ASCII, which has the diff's bytes that are no text."""
        (self.artifacts / "provenance.json").write_text(json.dumps(self._about, indent=2))

    def _data(self, card: DataCard) -> None:
        """Records the data sets with their digests, and names the run after the data it is really on."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        if self._card:
            return
        self._card, self._about["data"] = card, card.to_dict()
        profile = {"height": card.height, "width": card.width, "classes": len(card.class_names)}
        inputs = [
            DatasetInput(
                Dataset(
                    f"{card.name} {split}",
                    digest[:DIGEST],
                    "local",
                    json.dumps({"files": card.files}),
                    profile=json.dumps(profile | {"images": card.images[split]}),
                ),
                [InputTag("mlflow.data.context", split)],
            )
            for split, digest in card.sha256.items()
        ]
        self._client.log_inputs(self.run_id, inputs)
        self._client.set_tag(self.run_id, "data", card.title)
        self._rename()

    def _history(self, history: Any) -> None:
        """Records the rows of the curves that are new."""
        points = [
            (name, row[column], int(row["iteration"]))
            for row in history.iloc[self._rows :].to_dict("records")
            for column, name in CURVES.items()
            if row[column] == row[column]  # not nan
        ]
        self._log_metrics(points)
        self._rows = len(history)

    def _numbers(self, metrics: dict[str, Any]) -> None:
        self._metrics |= {name: value for name, value in metrics.items() if name.startswith("test/")}

    def _model(self, exported: ExportedModel) -> None:
        self._client.log_model(exported)
        self._exported = True

    def _keep_checkpoint(self, data: Checkpoint) -> None:
        """Keeps the newest; the first one tells which training this is, and which run it continues."""
        if self._checkpoint is None:
            if self._about["parameters"]["training"]["resume"]:
                self._client.set_continued(data.fingerprint)
            self._client.set_tag(self.run_id, FINGERPRINT, data.fingerprint)
            self._client.set_tag(self.run_id, PRECISION, data.fingerprint_fields[PRECISION])
        self._checkpoint = data

    def _write_checkpoint(self, data: Checkpoint) -> None:
        (self.artifacts / "checkpoint.pt").write_bytes(checkpoint.to_bytes(data))
        self._about["weights_sha256"] = checkpoint.weights_digest(data.weights)
        self._client.set_tag(self.run_id, WEIGHTS, self._about["weights_sha256"])
        self._client.set_tag(self.run_id, UPDATES, str(data.state.iteration))

    def _test_set(self) -> dict[str, Any]:
        """What the measures are linked to: the model, and the test images."""
        if not (card := self._card):
            return {"model_id": self._client.model_id}
        return {
            "model_id": self._client.model_id,
            "dataset_name": f"{card.name} test",
            "dataset_digest": card.sha256["test"][:DIGEST],
        }

    def _log_metrics(self, points: list[tuple[str, float, int]], link: dict[str, Any] | None = None) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        written = [Metric(name, float(value), now, step, **(link or {})) for name, value, step in points]
        for start in range(0, len(written), MOST_METRICS):
            self._client.log_batch(self.run_id, metrics=written[start : start + MOST_METRICS])
