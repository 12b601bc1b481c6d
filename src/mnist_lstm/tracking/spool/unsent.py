"""A folder in data/unsent/ for each run that MLflow has not received completely, and how it is sent.

run.json says which run it is; calls.jsonl holds an operation in each line, [kind, content].
"""

import json
import logging
import math
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from mnist_lstm.errors import UserError
from mnist_lstm.tracking.spool import operations
from mnist_lstm.tracking.spool.outages import first_line, outages

logger = logging.getLogger(__name__)

FOLDER = "data/unsent"  # in the project's root
RUN, CALLS = "run.json", "calls.jsonl"


def append(folder: Path, operation: operations.Operation) -> None:
    """Stores an operation, to be sent after those that are stored already.

    Raises:
        UserError: if the disk is full.
    """
    with _errors_if_full(folder):
        line = json.dumps(operations.stored(operation, folder))
        with (folder / CALLS).open("a") as file:
            file.write(f"{line}\n")


def stored_operations(folder: Path) -> list[operations.Operation]:
    """The stored operations in order; a truncated last line is ignored."""
    found = []
    for line in (folder / CALLS).read_text().splitlines() if (folder / CALLS).exists() else []:
        try:
            found.append(operations.Operation(*json.loads(line)))
        except json.JSONDecodeError:
            break
    return found


def write_run(folder: Path, run: dict[str, Any]) -> None:
    """Writes run.json atomically.

    Raises:
        UserError: if the disk is full.
    """
    with _errors_if_full(folder):
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f".{RUN}"
        unfinished.write_text(json.dumps(run))
        os.replace(unfinished, folder / RUN)


def read_run(folder: Path) -> dict[str, Any]:
    """The content of run.json."""
    return json.loads((folder / RUN).read_text())  # type: ignore[no-any-return]


def send(folder: Path, client: Any, experiment_id: str | None = None, until: float = math.inf) -> dict[str, Any] | None:
    """Sends what is stored in a folder, in order, and deletes the folder.

    Args:
        experiment_id: where the run is made if MLflow does not have it yet.
        until: time of `time.monotonic` from which on nothing more is sent.

    Returns:
        The run, or None if MLflow did not receive everything; then the folder stays.
    """
    with warning_if_unsent(folder):
        run = read_run(folder)
        run["experiment_id"] = run["experiment_id"] or experiment_id
        if run["run_id"] is None:
            run["run_id"] = operations.create_run(client, run)
            write_run(folder, run)
        for operation in stored_operations(folder):
            if time.monotonic() > until:
                logger.warning("%s waits, as MLflow is slow: `kedro sync-runs` takes the time that it needs.", folder)
                return None
            operations.send(client, run, operations.restored(operation, folder))
            if operation.kind == "model":
                write_run(folder, run)  # with the model's id, so that a second attempt does not log it again
        shutil.rmtree(folder)
        return run
    return None


@contextmanager
def warning_if_unsent(folder: Path) -> Iterator[None]:
    """Logs why a folder was not sent: neither an outage nor a damaged folder may stop a run or the other folders."""
    drop = "If it can never be sent, delete the folder."
    refusals: tuple[type[Exception], ...] = (*outages(), OSError)  # an artifact store may be the file system
    try:
        yield
    except refusals as error:
        logger.warning("%s waits: MLflow did not accept it: %s. %s", folder, first_line(error), drop)
    except Exception as error:
        logger.warning("%s waits: it is damaged: %s: %s. %s", folder, type(error).__name__, first_line(error), drop)


@contextmanager
def _errors_if_full(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{folder} must be writable to store what MLflow has not received, found: {error.strerror}; make room."
        ) from error


def lock(place: Path) -> FileLock:
    """Held by the process that sends."""
    return FileLock(place / ".lock")
