"""The folders in data/unsent of runs that MLflow could not take whole, and how they are sent.

A call is kept as a line of JSON. To make one twice changes nothing, as each has its own time; so after a crash half way
they are simply made again.
"""

import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from mnist_lstm.errors import UserError
from mnist_lstm.provenance import is_dead, process
from mnist_lstm.tracking.spool import operations
from mnist_lstm.tracking.spool.outages import first_line, outages

logger = logging.getLogger(__name__)

FOLDER = "data/unsent"  # in the project's root; a folder in it for each run
RUN, CALLS = "run.json", "calls.jsonl"


def send_all(project: Path, client: Any, store: str, experiment_id: str) -> tuple[int, int]:
    """Sends what earlier runs could not, except for those that still run and those of another store.

    Args:
        project: its root.
        client: of MLflow.
        store: its address without a password.
        experiment_id: where a run is made that was not made yet.

    Returns:
        How many runs MLflow has now, and how many wait.
    """
    place = project / FOLDER
    if not place.is_dir():
        return 0, 0
    with lock(place):
        waiting = sorted(path.parent for path in place.glob(f"*/{RUN}"))
        sent = [path for path in waiting if _sent(path, client, store, experiment_id)]
    return len(sent), len(waiting) - len(sent)


def _sent(folder: Path, client: Any, store: str, experiment_id: str) -> bool:
    """Sends a folder if its time has come; whether it is gone."""
    with _told_if_it_waits(folder):
        if reason := _reason_to_wait(json.loads((folder / RUN).read_text()), folder, store):
            logger.warning("%s waits: %s.", folder, reason)
            return False
        return flushed(folder, client, experiment_id) is not None
    return False


def flushed(folder: Path, client: Any, experiment_id: str | None = None) -> dict[str, Any] | None:
    """Makes the calls that a run kept, in order, and forgets them; the run, or None if MLflow did not take all."""
    with _told_if_it_waits(folder):
        about: dict[str, Any] = json.loads((folder / RUN).read_text())
        about["experiment_id"] = about["experiment_id"] or experiment_id
        if about["run_id"] is None:
            about["run_id"] = operations.created(client, about)
            write_run(folder, about)
        for kind, content in _kept(folder):
            operations.SENDERS[kind](client, about, operations.with_files(kind, content, folder))
            if kind == "model":
                write_run(folder, about)
        shutil.rmtree(folder)
        return about
    return None


@contextmanager
def _told_if_it_waits(folder: Path) -> Iterator[None]:
    """Says why a folder is not sent: neither an outage nor a damaged one may stop a run, or the other folders."""
    drop = "If it never can be sent, delete the folder to drop it."
    try:
        yield
    except outages() as error:
        logger.warning("%s waits: MLflow did not take it: %s. %s", folder, first_line(error), drop)
    except Exception as error:
        logger.warning("%s waits, as it is damaged: %s: %s. %s", folder, type(error).__name__, first_line(error), drop)


def keep(folder: Path, kind: str, content: dict[str, Any]) -> None:
    """Keeps a call, to be made after those that are kept already."""
    with told_if_full(folder), (folder / CALLS).open("a") as file:
        file.write(json.dumps([kind, content]) + "\n")


def _reason_to_wait(about: dict[str, Any], folder: Path, store: str) -> str:
    """Why a run is not to be sent now; empty if it is.

    While a process lives it alone sends its runs, as it may have more to keep. Of one on another machine nobody here
    knows whether it lives, so there the run's end decides.
    """
    if about["store"] != store:
        return f"it is of another store, {about['store']}. Name that by MLFLOW_TRACKING_URI, or delete the folder"
    ended, owner, me = any(kind == "end" for kind, _ in _kept(folder)), about["process"], process()
    if is_dead(owner) or (ended and (owner == me or owner["host"] != me["host"])):
        return ""
    return f"its process {owner['pid']} on {owner['host']} still runs"


def _kept(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """The kept calls; a last one that a kill cut short is none."""
    found = []
    for line in (folder / CALLS).read_text().splitlines() if (folder / CALLS).exists() else []:
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return [(kind, content) for kind, content in found]


def write_run(folder: Path, about: dict[str, Any]) -> None:
    """Writes down which run it is, whole or not at all."""
    with told_if_full(folder):
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f".{RUN}"
        unfinished.write_text(json.dumps(about))
        os.replace(unfinished, folder / RUN)


@contextmanager
def told_if_full(folder: Path) -> Iterator[None]:
    """Raises UserError where what is done here finds no room to keep a call in."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{folder} must be writable to keep what MLflow did not take, found: {error.strerror}; make room."
        ) from error


def lock(place: Path) -> FileLock:
    """Held by who sends."""
    return FileLock(place / ".lock")
