"""Sends the operations of one run to MLflow; while MLflow does not answer, stores them and sends them later."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mnist_lstm.errors import UserError
from mnist_lstm.tracking.pages import run_page
from mnist_lstm.tracking.spool import operations, unsent
from mnist_lstm.tracking.spool.outages import LATER, SLOW, answer, warn_if_slow

logger = logging.getLogger(__name__)

SLOW_MODEL = 9.0  # seconds before the warning that MLflow is silent, as it exports a model before it sends it
MAX_WAITED, MAX_SHARE = 60.0, 0.25  # seconds in all, and fraction of the run, that calls to MLflow may take
EXPORT_PER_STEP = 0.05  # seconds more for each time step, which torch traces one by one: 784 take 15 in all


class Spool:
    """Takes the operations of one run: each is sent at once, or else stored in a folder of data/unsent/.

    After the first failure all are stored, so an outage costs training one time-out. `end` tries to send them.

    Args:
        connect: returns a client of MLflow, or raises UserError.
        client: the client at the start, None if MLflow did not answer.
        run: "run_id" (None if it is not made yet), "experiment_id" (None likewise), "experiment", "store" (its
            address without a password), "run_name", "tags", "start_time" (ms) and the "process" that writes it.
    """

    def __init__(self, project: Path, connect: Callable[[], Any], client: Any, run: dict[str, Any]):
        self._connect = connect
        self._client = client
        self._run = run
        self._folder = project / unsent.FOLDER / f"{run['start_time']}-{run['process']['pid']}"
        self._began, self._waited = time.monotonic(), 0.0  # seconds
        self._too_slow = False
        self.complete = client is not None  # whether MLflow has received everything so far
        if not self.complete:
            unsent.write_run(self._folder, run)

    @property
    def run_id(self) -> str:
        """MLflow's id of the run; empty until the run is made there."""
        return self._run["run_id"] or ""

    @property
    def experiment_id(self) -> str:
        """MLflow's id of the experiment; empty until MLflow has answered."""
        return self._run["experiment_id"] or ""

    @property
    def place(self) -> str:
        """Where people find the run."""
        if not self.complete:
            return f"not yet by MLflow: {self._folder} waits for `kedro sync-runs`"
        return run_page(self._run["store"], self._run["experiment_id"], self.run_id)

    def put(self, kind: str, **content: Any) -> None:
        """Sends an operation, or stores it.

        Raises:
            UserError: if it must be stored and the disk is full.
        """
        if self.complete:
            try:
                self.send(kind, **content)
            except Exception as error:  # an artifact store has errors of its own, S3's or the file system's
                self._store_from_now(f"MLflow {answer(error)}")
            else:
                self._expect_speed()
        if not self.complete:
            unsent.append(self._folder, operations.Operation(kind, content))

    def send(self, kind: str, **content: Any) -> Any:
        """Sends an operation now and returns what its sender returns, or raises what MLflow's client raises."""
        began, patience = time.monotonic(), SLOW
        if kind == "model":
            patience = max(SLOW_MODEL, EXPORT_PER_STEP * len(content["exported"].classifier.order))
        try:
            with warn_if_slow(patience):
                return operations.send(self._client, self._run, operations.Operation(kind, content))
        finally:
            self._waited += 0 if kind == "model" else time.monotonic() - began  # a model is exported meanwhile

    def _expect_speed(self) -> None:
        """Stores what follows if MLflow has taken too much time in all, though each call was answered."""
        share = self._waited / (time.monotonic() - self._began)
        if self._waited > MAX_WAITED and share > MAX_SHARE:
            self._store_from_now(f"MLflow is too slow, it has taken {self._waited:.0f} s, {share:.0%} of the run")
            self._too_slow = True

    def _store_from_now(self, reason: str) -> None:
        self.complete = False
        unsent.write_run(self._folder, self._run)
        logger.warning("%s. %s.", reason, LATER)

    def end(self, status: str) -> None:
        """Ends the run with one of MLflow's statuses, after another attempt to send what was stored."""
        self.put("end", status=status, time=int(time.time() * 1000))
        if not self.complete and not self._too_slow:
            self.complete = self._send_stored()
        if not self.complete:
            logger.warning("MLflow lacks a part of this run: `kedro sync-runs` or the next run sends it.")

    def _send_stored(self) -> bool:
        try:
            self._client = self._client or self._connect()
        except UserError:
            return False
        with unsent.lock(self._folder.parent):
            run = unsent.send(self._folder, self._client, self._run["experiment_id"])
        self._run |= run or {}
        return run is not None
