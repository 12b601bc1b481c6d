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
from mnist_lstm.provenance import is_dead, redacted
from mnist_lstm.tracking import calls

logger = logging.getLogger(__name__)

FOLDER = "data/unsent"  # in the project's root; a folder in it for each run
RUN, CALLS = "run.json", "calls.jsonl"


def outages() -> tuple[type[Exception], ...]:
    """What MLflow's client raises where the store does not answer, or not in time."""
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    return (MlflowException, SQLAlchemyError, RequestException)


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
        sent = [path for path in waiting if _sendable(path, store) and flushed(path, client, experiment_id)]
    return len(sent), len(waiting) - len(sent)


def flushed(folder: Path, client: Any, experiment_id: str | None = None) -> dict[str, Any] | None:
    """Makes the calls that a run kept, in order, and forgets them; the run, or None if MLflow did not take all."""
    about = json.loads((folder / RUN).read_text())
    about["experiment_id"] = about["experiment_id"] or experiment_id
    try:
        if about["run_id"] is None:
            about["run_id"] = calls.created(client, about)
            write_run(folder, about)
        for kind, content in _kept(folder):
            calls.SENDERS[kind](client, about, calls.with_files(kind, content, folder))
            if kind == "model":
                write_run(folder, about)
    except outages() as error:
        logger.warning("MLflow did not take all that run %s missed: %s", about["run_name"], first_line(error))
        return None
    shutil.rmtree(folder)
    return about  # type: ignore[no-any-return]


def keep(folder: Path, kind: str, content: dict[str, Any]) -> None:
    """Keeps a call, to be made after those that are kept already."""
    with _told_if_full(folder), (folder / CALLS).open("a") as file:
        file.write(json.dumps([kind, content]) + "\n")


def first_line(error: BaseException) -> str:
    """The error's first line, without a password."""
    return redacted(str(error).partition("\n")[0])


def _sendable(folder: Path, store: str) -> bool:
    about = json.loads((folder / RUN).read_text())
    ended = any(kind == "end" for kind, _ in _kept(folder))
    return about["store"] == store and (ended or is_dead(about["process"]))


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
    with _told_if_full(folder):
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f".{RUN}"
        unfinished.write_text(json.dumps(about))
        os.replace(unfinished, folder / RUN)


@contextmanager
def _told_if_full(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{folder} must be writable to keep what MLflow did not take, found: {error.strerror}; make room."
        ) from error


def lock(place: Path) -> FileLock:
    """Held by who sends."""
    return FileLock(place / ".lock")
