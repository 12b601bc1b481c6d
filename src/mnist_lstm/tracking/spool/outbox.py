"""What a run sends to MLflow: at once, or kept on the disk where MLflow does not answer, and sent later."""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mnist_lstm.core.model.export import ExportedModel
from mnist_lstm.errors import UserError
from mnist_lstm.tracking.spool import operations, unsent
from mnist_lstm.tracking.spool.outages import first_line, outages

logger = logging.getLogger(__name__)

SLOW, SLOW_MODEL = 3.0, 9.0  # seconds of silence after which people are told; MLflow exports a model first
A_STEP = 0.05  # seconds that the export may take for each time step, which torch traces one by one: 784 take 15 in all
WAITS = "It is given up after some seconds; then the run goes on without it, and `kedro sync-runs` sends what it misses"
LATER = (
    "The run goes on without it, its results go to data/, and what MLflow misses is kept: `kedro sync-runs` sends it"
)


@contextmanager
def told_if_slow(seconds: float = SLOW) -> Iterator[None]:
    """Tells people when what is done here takes long."""
    told = threading.Timer(seconds, logger.warning, [f"MLflow has not answered for {seconds:g} s. {WAITS}."])
    told.daemon = True
    told.start()
    try:
        yield
    finally:
        told.cancel()


def _patience(kind: str, exported: ExportedModel | None = None, **_: Any) -> float:
    """Seconds that a call may take before people are told."""
    return max(SLOW_MODEL, A_STEP * len(exported.classifier.order)) if exported and kind == "model" else SLOW


class Outbox:
    """MLflow's client for one run. What it has to write and cannot is kept, and so is all after it.

    So an outage costs training one time-out. At the end of the run all of it is tried once more.

    Args:
        project: its root.
        connect: gives a client of MLflow's, or raises UserError.
        client: the one at the start; None where MLflow did not answer.
        about: the run: "run_id" (None where it is not made yet), "store" (its address without a password),
            "experiment_id" (None likewise), "run_name", "tags", "start_time" (ms), and the "process" that writes it.
    """

    def __init__(self, project: Path, connect: Callable[[], Any], client: Any, about: dict[str, Any]):
        self._connect = connect
        self._client = client
        self._about = about
        self._folder = project / unsent.FOLDER / f"{about['start_time']}-{about['process']['pid']}"
        self.complete = client is not None  # whether MLflow has taken everything so far
        if not self.complete:
            unsent.write_run(self._folder, about)

    @property
    def run_id(self) -> str | None:
        """MLflow's; None before the run is made there."""
        return self._about["run_id"]  # type: ignore[no-any-return]

    @property
    def place(self) -> str:
        """Where the run is, for people."""
        if not self.complete:
            return f"not yet by MLflow: {self._folder} waits for `kedro sync-runs`"
        return f"MLflow run {self.run_id} ({self._about['experiment']}) in {self._about['store']}"

    @property
    def model_id(self) -> str | None:
        """That of the logged model; None before it is."""
        return self._about.get("model_id")

    def __getattr__(self, name: str) -> Any:
        """What only reads is the client's own."""
        return getattr(self._client, name)

    def set_tag(self, run_id: str, key: str, value: str) -> None:
        """Sets a tag of the run."""
        self._write("tag", key=key, value=value)

    def set_continued(self, fingerprint: str) -> None:
        """Names the run that this one continues, the last one of the same training, unless that finished."""
        self._write("continues", fingerprint=fingerprint)

    def update_run(self, run_id: str, name: str) -> None:
        """Renames the run."""
        self._write("name", name=name)

    def log_batch(self, run_id: str, metrics: Any = (), params: Any = ()) -> None:
        """Logs metrics and parameters."""
        self._write("batch", metrics=[dict(each) for each in metrics], params=[dict(each) for each in params])

    def log_inputs(self, run_id: str, inputs: Any) -> None:
        """Logs the data sets."""
        self._write("inputs", inputs=[operations.as_values(each) for each in inputs])

    def log_artifacts(self, run_id: str, folder: str) -> None:
        """Logs the files of a folder."""
        if not self._tried("artifacts", folder=folder):
            with unsent.told_if_full(self._folder):
                shutil.copytree(folder, self._folder / operations.ARTIFACTS, dirs_exist_ok=True)
            self.keep("artifacts")

    def log_model(self, exported: ExportedModel) -> None:
        """Logs the exported model; where that fails it is made again from its weights, later."""
        if not self._tried("model", exported=exported):
            with unsent.told_if_full(self._folder):
                kept = operations.kept_model(exported, self._folder)
            self.keep("model", **kept)

    def set_terminated(self, run_id: str, status: str) -> None:
        """Ends the run; what was missed is tried once more."""
        self._write("end", status=status, time=int(time.time() * 1000))
        if not self.complete:
            self.complete = self._flushed()
        if not self.complete:
            logger.warning("MLflow misses a part of this run: `kedro sync-runs` sends it, and so does the next run.")

    def keep(self, kind: str, **content: Any) -> None:
        """Keeps a call, to be made after those that are kept already."""
        unsent.keep(self._folder, kind, content)

    def _write(self, kind: str, **content: Any) -> None:
        if not self._tried(kind, **content):
            self.keep(kind, **content)

    def _tried(self, kind: str, **content: Any) -> bool:
        """Makes a call, unless one failed before; whether MLflow took it."""
        if self.complete:
            try:
                with told_if_slow(_patience(kind, **content)):
                    operations.SENDERS[kind](self._client, self._about, content)
            except outages() as error:
                self.complete = False
                unsent.write_run(self._folder, self._about)
                logger.warning("MLflow did not answer: %s. %s.", first_line(error), LATER)
        return self.complete

    def _flushed(self) -> bool:
        try:
            self._client = self._client or self._connect()
        except UserError:
            return False
        with unsent.lock(self._folder.parent):
            sent = unsent.flushed(self._folder, self._client, self._about["experiment_id"])
        self._about |= sent or {}
        return sent is not None
