"""One MLflow run: which operations are put into its spool, and when."""

import json
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mnist_lstm.core.data.data_card import DataCard
from mnist_lstm.core.training import checkpoint
from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.tracking import tags
from mnist_lstm.tracking.spool.spool import Spool

logger = logging.getLogger(__name__)

DIGEST_LENGTH = 32  # characters of a SHA-256 that fit MLflow's dataset digest
MAX_METRICS = 1000  # in one call, MLflow's limit
INTERRUPTED = " interrupted"  # ends the name of a run that uses a checkpoint of an interrupted training
CURVES = {
    "train_loss": "train/loss",
    "train_accuracy": "train/accuracy",
    "learning_rate": "train/learning_rate",
    "valid_loss": "valid/loss",
    "valid_accuracy": "valid/accuracy",
}  # metrics by the columns of the history


class RunWriter:
    """Writes one run that has been started.

    Curves, datasets and the model are written at once; what may still change is written when the run ends.

    Args:
        spool: of this run.
        provenance: of the run, so far.
        name: makes the run's name from the name of its data.
    """

    def __init__(self, spool: Spool, provenance: dict[str, Any], name: Callable[[str], str]):
        self._spool = spool
        self._provenance = provenance
        self._name = name
        self._suffix = ""  # of the run's name
        self._folder = tempfile.TemporaryDirectory(prefix="mnist_lstm-")
        self.artifacts = Path(self._folder.name)
        self._written_rows = 0  # of the history
        self._metrics: dict[str, float] = {}
        self._card: DataCard | None = None
        self._checkpoint: Checkpoint | None = None
        self._exported = False
        self._finished = False
        self._write_provenance()

    @property
    def run_id(self) -> str:
        """MLflow's id of the run; empty until the run is made there."""
        return self._spool.run_id

    @property
    def place(self) -> str:
        """Where people find the run."""
        return self._spool.place

    def write(self, kind: str, data: Any) -> None:
        """Writes what the catalog saved; `kind` is `metadata.mlflow` of its catalog entry.

        Files are not written here: they are copied into the folder `artifacts`.
        """
        writers: dict[str, Callable[[Any], None]] = {
            "data": self._write_data,
            "history": self._write_history,
            "metrics": self._keep_metrics,
            "model": self._write_model,
            "checkpoint": self._keep_checkpoint,
        }
        if kind != "artifact":
            writers[kind](data)

    def write_used_checkpoint(self, used: Checkpoint) -> None:
        """Marks the run if it uses, without training, a checkpoint of an interrupted training."""
        if self._checkpoint is None and not self._suffix and not used.state.ended:
            self._tag(tags.UPDATES, str(used.state.iteration))
            self._suffix = INTERRUPTED
            self._rename()

    def end(self, status: str, reason: str) -> None:
        """Writes what waited for the end, and ends the run with one of MLflow's statuses.

        If the last files cannot be written (a full disk, say), the run still gets its status.
        """
        try:
            self._write_last()
        except Exception as error:
            logger.warning("The run's record lacks its last files: %s", error)
            status, reason = ("FAILED" if status == "FINISHED" else status), reason or str(error)
        if reason:
            self._tag(tags.REASON, reason[: tags.MAX_LENGTH])
        self._spool.end(status)
        self._finished = status == "FINISHED"
        self._folder.cleanup()

    def register(self, project: Path, name: str, margin: float) -> str | None:
        """Registers the model of the finished run and returns the decision about it in words.

        None if the run did not train, export and evaluate, if MLflow does not answer, or if the store has no registry:
        the last is a warning and fails no run.
        """
        evaluated = self._exported and "test/accuracy" in self._metrics
        if not (self._finished and self._card and self._checkpoint and evaluated):
            return None
        content = {
            "project": project,
            "settings": {"name": name, "margin": margin},
            "candidate": {
                "data": self._card.name,
                "images": self._card.sha256["valid"],
                "accuracy": valid_accuracy(self._checkpoint),
            },
        }
        if not self._spool.complete:
            self._spool.put("register", **content)
            return None
        try:
            decision: str | None = self._spool.send("register", **content)
            return decision
        except Exception as error:
            logger.warning("The model is recorded, but not registered: %s", error)
            return None

    def _write_last(self) -> None:
        if self._checkpoint:
            self._write_checkpoint(self._checkpoint)
        self._put_metrics([(name, value, 0) for name, value in self._metrics.items()], self._test_images())
        self._write_provenance()
        self._spool.put("artifacts", folder=str(self.artifacts))

    def _write_provenance(self) -> None:
        """In ASCII: the diff may hold surrogate escapes, which UTF-8 cannot encode."""
        (self.artifacts / "provenance.json").write_text(json.dumps(self._provenance, indent=2))

    def _write_data(self, card: DataCard) -> None:
        """Writes the data sets with their digests, and names the run after the data that it really uses."""
        if self._card:
            return
        self._card, self._provenance["data"] = card, card.to_dict()
        self._spool.put("inputs", inputs=[_input(card, split) for split in card.sha256])
        self._tag("data", card.title)
        self._rename()

    def _write_history(self, history: Any) -> None:
        """Writes the rows that are new."""
        points = [
            (name, row[column], int(row["iteration"]))
            for row in history.iloc[self._written_rows :].to_dict("records")
            for column, name in CURVES.items()
            if row[column] == row[column]  # not nan
        ]
        self._put_metrics(points)
        self._written_rows = len(history)

    def _keep_metrics(self, metrics: dict[str, Any]) -> None:
        self._metrics |= {name: value for name, value in metrics.items() if name.startswith("test/")}

    def _write_model(self, exported: Any) -> None:
        self._spool.put("model", exported=exported)
        self._exported = True

    def _keep_checkpoint(self, data: Checkpoint) -> None:
        """Keeps the newest; the first one shows which training this is, and which run it continues."""
        if self._checkpoint is None:
            if self._provenance["parameters"]["training"]["resume"]:
                self._spool.put("continues", fingerprint=data.fingerprint)
            self._tag(tags.FINGERPRINT, data.fingerprint)
            self._tag(tags.PRECISION, data.fingerprint_fields[tags.PRECISION])
        self._checkpoint = data

    def _write_checkpoint(self, data: Checkpoint) -> None:
        (self.artifacts / "checkpoint.pt").write_bytes(checkpoint.to_bytes(data))
        self._provenance["weights_sha256"] = checkpoint.weights_digest(data.weights)
        self._tag(tags.WEIGHTS, self._provenance["weights_sha256"])
        self._tag(tags.UPDATES, str(data.state.iteration))

    def _tag(self, key: str, value: str) -> None:
        self._spool.put("tag", key=key, value=value)

    def _rename(self) -> None:
        data = self._card.name if self._card else self._provenance["parameters"]["data"]["name"]
        self._spool.put("name", name=f"{self._name(data)}{self._suffix}")

    def _test_images(self) -> dict[str, str]:
        """The data set that the metrics of the test are linked to."""
        if not self._card:
            return {}
        used = _input(self._card, "test")["dataset"]
        return {"dataset_name": used["name"], "dataset_digest": used["digest"]}

    def _put_metrics(self, points: list[tuple[str, float, int]], link: dict[str, str] | None = None) -> None:
        """Puts points (name, value, update) of curves."""
        now = int(time.time() * 1000)
        metrics = [
            {"key": name, "value": float(value), "timestamp": now, "step": update, **(link or {})}
            for name, value, update in points
        ]
        for start in range(0, len(metrics), MAX_METRICS):
            self._spool.put("batch", metrics=metrics[start : start + MAX_METRICS])


def _input(card: DataCard, split: str) -> dict[str, Any]:
    """A split of the data, in the fields of MLflow's DatasetInput."""
    profile = {
        "height": card.height,
        "width": card.width,
        "classes": len(card.class_names),
        "images": card.images[split],
    }
    dataset = {
        "name": f"{card.name} {split}",
        "digest": card.sha256[split][:DIGEST_LENGTH],
        "source_type": "local",
        "source": json.dumps({"files": card.files}),
        "profile": json.dumps(profile),
    }
    return {"dataset": dataset, "tags": [{"key": "mlflow.data.context", "value": split}]}


def valid_accuracy(data: Checkpoint) -> float:
    """Accuracy on the validation images of the weights that classify, a fraction."""
    state = data.state
    if data.keep == "best" and state.best:
        return float(state.best.accuracy)
    return float([row for row in state.history if row["valid_accuracy"] == row["valid_accuracy"]][-1]["valid_accuracy"])
