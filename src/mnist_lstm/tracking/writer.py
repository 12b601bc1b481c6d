"""One MLflow run: which operations are put into its spool, and when."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mnist_lstm.core.data.data_card import DataCard
from mnist_lstm.core.training import checkpoint
from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.core.training.resume import AUTO
from mnist_lstm.data_parameters import source_of
from mnist_lstm.tracking import export, payloads, tags
from mnist_lstm.tracking.pages import NOTE
from mnist_lstm.tracking.reader import FOLDERS
from mnist_lstm.tracking.spool.outages import first_line
from mnist_lstm.tracking.spool.spool import Spool

logger = logging.getLogger(__name__)

MAX_METRICS = 1000  # in one call, MLflow's limit
INTERRUPTED = " interrupted"  # ends the name of a run that uses a checkpoint of an interrupted training


class RunWriter:
    """Writes one run that has been started.

    Curves, datasets and the model are written at once; what may still change is written when the run ends.

    Args:
        spool: of this run.
        provenance: of the run, so far.
        name: makes the run's name from name and kind of its data.
        onnx: whether to add the model as an ONNX file.
    """

    def __init__(self, spool: Spool, provenance: dict[str, Any], name: Callable[[str, str], str], onnx: bool):
        self.spool, self.provenance, self._name, self._onnx = spool, provenance, name, onnx
        self._used: Checkpoint | None = None  # the first that was loaded and not trained here
        self._files: dict[str, bytes] = {}  # the artifacts by their paths
        self._written_rows = 0  # of the history
        self._metrics: dict[str, float] = {}
        self._description = ""
        self._card: DataCard | None = None
        self._checkpoint: Checkpoint | None = None
        self._exported = False
        self._finished = False

    def write(self, kind: str, data: Any) -> None:
        """Writes what the catalog saved; `kind` is `metadata.mlflow` of its catalog entry, but not "artifact"."""
        writers: dict[str, Callable[[Any], None]] = {
            "data": self._write_data,
            "history": self._write_history,
            "metrics": self._keep_metrics,
            "model": self._write_model,
            "checkpoint": self._keep_checkpoint,
        }
        writers[kind](data)

    def write_file(self, name: str, content: bytes) -> None:
        """Adds a file to the artifacts, in the folder for files of its type."""
        self._files[str(Path(FOLDERS.get(Path(name).suffix, "")) / name)] = content

    def write_used_checkpoint(self, used: Checkpoint) -> None:
        """Marks the run if it uses, without training, a checkpoint of an interrupted training, or of other data."""
        if self._checkpoint is not None or self._used is not None:
            return
        self._used = used
        if not used.state.ended:
            self._tag(tags.UPDATES, str(used.state.iteration))
        self._rename()

    def end(self, status: str, reason: str) -> None:
        """Writes what waited for the end, and ends the run with one of MLflow's statuses.

        Raises:
            UserError: if MLflow does not take it, and the disk that it must wait on is full.
        """
        self._write_last()
        if reason:
            self._tag(tags.REASON, reason[: tags.MAX_LENGTH])
        self.spool.end(status)
        self._finished = status == "FINISHED"

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
                "description": self._description,
            },
        }
        if not self.spool.complete:
            self.spool.put("register", **content)
            return None
        try:
            return self.spool.send("register", **content)  # type: ignore[no-any-return]
        except Exception as error:
            logger.warning("The model is recorded, but not registered: %s", first_line(error))
            return None

    def _write_last(self) -> None:
        if self._checkpoint:
            self._write_checkpoint(self._checkpoint)
        test_images = payloads.dataset(self._card, "test") if self._card else None
        points = [(name, value, 0) for name, value in self._metrics.items()]
        self._put_metrics(payloads.metrics(points, test_images))
        # In ASCII: the diff may hold surrogate escapes, which UTF-8 cannot encode
        self._files["provenance.json"] = json.dumps(self.provenance, indent=2).encode("ascii")
        if (weights := self._checkpoint or self._used) and weights.weights_of:
            page = f"#/experiments/{self.spool.experiment_id}/runs/{weights.weights_of}"
            run = f"[run {weights.weights_of}]({page})"
            self._description += f"\n\nThe weights are those of {run}, trained on {weights.data.title}."
        if self._description:
            self._tag(NOTE, self._description)
        self.spool.put("artifacts", files=self._files)

    def _write_data(self, card: DataCard) -> None:
        """Writes the data sets with their digests, and names the run after the data that it really uses."""
        if self._card:
            return
        self._card, self.provenance["data"] = card, card.to_dict()
        used = ["test"] if self.provenance["parameters"]["evaluation"].get("of") else list(card.sha256)
        self.spool.put("inputs", inputs=payloads.inputs(card, used))
        self._tag("data", card.title)
        self._rename()

    def _write_history(self, history: Any) -> None:
        """Writes the rows that are new."""
        self._put_metrics(payloads.metrics(payloads.curve_points(history.iloc[self._written_rows :])))
        self._written_rows = len(history)

    def _keep_metrics(self, metrics: dict[str, Any]) -> None:
        self._metrics |= {name: value for name, value in metrics.items() if payloads.is_charted(name)}
        self._description = payloads.description(metrics)
        self.write_file("metrics.json", json.dumps(metrics, indent=2).encode())

    def _write_model(self, exported: Any) -> None:
        self.spool.put("model", exported=exported, name=self._full_name())
        self._exported = True

    def _keep_checkpoint(self, data: Checkpoint) -> None:
        """Keeps the newest; the first one shows which training this is, and which run it continues."""
        if self._checkpoint is None:
            if self.provenance["parameters"]["training"]["resume"] not in (False, AUTO):
                self.spool.put("continues", fingerprint=data.fingerprint)
            if data.weights_of:
                self._tag(tags.WEIGHTS_OF, data.weights_of)
            self._tag(tags.FINGERPRINT, data.fingerprint)
            self._tag(tags.PRECISION, data.fingerprint_fields[tags.PRECISION])
        self._checkpoint = data

    def _write_checkpoint(self, data: Checkpoint) -> None:
        self._files["checkpoint.pt"] = checkpoint.to_bytes(data)
        self.provenance["weights_sha256"] = checkpoint.weights_digest(data.weights)
        self._tag(tags.WEIGHTS, self.provenance["weights_sha256"])
        self._tag(tags.UPDATES, str(data.state.iteration))
        if self._onnx and self._exported:
            self.write_file("classifier.onnx", export.onnx_file(data, self.spool.run_id))

    def _tag(self, key: str, value: str) -> None:
        self.spool.put("tag", key=key, value=value)

    def _rename(self) -> None:
        self.spool.put("name", name=self._full_name())

    def _full_name(self) -> str:
        given = self.provenance["parameters"]["data"]
        data, kind = (self._card.name, self._card.kind) if self._card else (source_of(given), given["kind"] or "images")
        suffix = ""
        if self._used:
            data = data if data == self._used.data.name else f"{self._used.data.name} on {data}"
            suffix = "" if self._used.state.ended else INTERRUPTED
        return f"{self._name(data, kind)}{suffix}"

    def _put_metrics(self, metrics: list[dict[str, Any]]) -> None:
        for start in range(0, len(metrics), MAX_METRICS):
            self.spool.put("batch", metrics=metrics[start : start + MAX_METRICS])


def valid_accuracy(data: Checkpoint) -> float:
    """Accuracy on the validation images of the weights that classify, a fraction."""
    state = data.state
    if data.keep == "best" and state.best:
        return float(state.best.accuracy)
    return float([row for row in state.history if row["valid_accuracy"] == row["valid_accuracy"]][-1]["valid_accuracy"])
