"""A worker process: runs one task after the other, and imports packages and reads images only once."""

import os
import signal
import threading
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from mnist_lstm.sweep.engine import Point


def main(project: Path, log: Path, connection: "Connection[Any, Any]") -> None:
    """Runs the tasks that the connection brings, until it closes or the process of the sweep is gone."""
    if os.name == "posix":
        os.setsid()  # Ctrl-C reaches the sweep alone, which then stops its workers
    with log.open("a") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.chdir(project)
    # These imports take seconds, in which Ctrl-C must not reach this process
    from kedro.framework.startup import bootstrap_project

    from mnist_lstm.sweep.trial_runs import run_task

    bootstrap_project(project)

    def prune_at(points: list[Point]) -> int | None:
        connection.send(points)
        update: int | None = connection.recv()
        return update

    with suppress(EOFError):
        while True:
            connection.send(run_task(project, connection.recv(), prune_at))


def _end_with_parent() -> None:
    if parent := parent_process():
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)  # a run in progress is then recorded as killed
