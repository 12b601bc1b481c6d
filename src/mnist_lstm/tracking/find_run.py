"""Finds a recorded run by its id, its name or "latest"."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from mnist_lstm.errors import UserError, nearest
from mnist_lstm.tracking import reader
from mnist_lstm.tracking.reader import FINISHED

RUN_ID, SHORT_ID = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{8,31}")
ADDRESS = re.compile(r"https?://\S*/runs/([0-9a-f]{32})\b.*", re.IGNORECASE)  # as a run prints it
LATEST = "latest"
MODELS = "; a model also by champion or another alias, NAME@champion, NAME/VERSION, or a checkpoint's path (*.pt)"
MAX_LISTED = 5  # runs of one name in an error


def find_run(client: Any, experiment_name: str, named: str, did: tuple[str, ...] = ()) -> Any:
    """The run with an id or name.

    Args:
        named: an id, its first 8 or more digits, the address of its page, a name (if several runs have it, the one that
            finished), or "latest": the newest run that finished, does not reproduce another, and did all of `did`.
        did: keys of `reader.DID`.

    Raises:
        UserError: if there is no such run, or more than one.
    """
    named = ADDRESS.sub(r"\1", named.strip())
    if RUN_ID.fullmatch(named):
        if run := reader.if_there(client.get_run, named):
            return run
        raise UserError(f"a run must be recorded in the MLflow store, found none with the id {named}.")
    if named == LATEST:
        found = reader.finished(client, experiment_name, 1, did)
    else:
        every = [run for run in reader.runs(client, experiment_name) if _is_called(run, named)]
        found = [run for run in every if run.info.status == FINISHED] or every
    if len(found) == 1:
        return found[0]
    if found:
        raise _ambiguous(named, found)
    raise _unknown(named, experiment_name, did, reader.runs(client, experiment_name))


def _is_called(run: Any, named: str) -> bool:
    shortened = SHORT_ID.fullmatch(named) and run.info.run_id.startswith(named)
    return bool(shortened or named == run.info.run_name)


def _ambiguous(named: str, found: list[Any]) -> UserError:
    listed = ", ".join(f"{run.info.run_id[:12]} ({_when(run)})" for run in found[:MAX_LISTED])
    more = f" and {len(found) - MAX_LISTED} older ones" if len(found) > MAX_LISTED else ""
    return UserError(f"a run's name must be unique, {named!r} names {listed}{more}: give the id of one.")


def _when(run: Any) -> str:
    started = datetime.fromtimestamp(run.info.start_time / 1000).strftime("%Y-%m-%d %H:%M:%S")
    return started if run.info.status == FINISHED else f"{started}, {run.info.status.lower()}"


def _unknown(named: str, experiment_name: str, did: tuple[str, ...], known: Iterable[Any]) -> UserError:
    if named == LATEST:
        wanted = " and ".join([FINISHED.lower(), *did])
        return UserError(f"{LATEST!r} needs a run that has {wanted}, found none in the experiment {experiment_name!r}.")
    hint = nearest(named, {LATEST, *(run.info.run_name for run in known)})
    return UserError(
        f"a run must be given by its id, its name or {LATEST!r}: the experiment {experiment_name!r} has none called "
        f"{named!r}{hint}{MODELS if did else ''}."
    )
