"""What earlier runs left open in MLflow: operations to send, and runs to end whose process is gone."""

import logging
import math
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from mnist_lstm.processes import is_dead, process
from mnist_lstm.redaction import redacted
from mnist_lstm.tracking import store, tags
from mnist_lstm.tracking.spool import unsent
from mnist_lstm.tracking.spool.outages import store_errors

logger = logging.getLogger(__name__)


def sync(project: Path) -> tuple[int, int]:
    """Sends what earlier runs could not, and ends dead runs.

    Returns:
        How many runs became complete in MLflow, and how many still wait.

    Raises:
        UserError: if the store cannot be used.
    """
    client, uri, experiment, _ = store.opened(project)
    with store_errors(uri):
        return settle(project, client, uri, store.experiment_id(client, experiment, project, uri))


def settle(project: Path, client: Any, uri: str, experiment_id: str, seconds: float = math.inf) -> tuple[int, int]:
    """Does the same with a client of the store at `uri`; runs that MLflow does not have go to this experiment.

    What could not be sent within `seconds` waits.
    """
    place, until = project / unsent.FOLDER, time.monotonic() + seconds
    with unsent.lock(place) if place.is_dir() else nullcontext():
        waiting = sorted(path.parent for path in place.glob(f"*/{unsent.RUN}"))
        sent = sum(_send_if_ready(folder, client, uri, experiment_id, until) for folder in waiting)
    end_dead_runs(client, experiment_id)
    return sent, len(waiting) - sent


def _send_if_ready(folder: Path, client: Any, uri: str, experiment_id: str, until: float) -> bool:
    with unsent.warning_if_unsent(folder):
        if reason := _reason_to_wait(folder, uri):
            logger.warning("%s waits: %s.", folder, reason)
            return False
        return unsent.send(folder, client, experiment_id, until) is not None
    return False


def _reason_to_wait(folder: Path, uri: str) -> str:
    """Why a run cannot be sent now; empty if it can.

    A live process sends its runs itself, as it may append more. Whether a process on another machine is alive is
    unknown here; its run is sent once it has ended.
    """
    run = unsent.read_run(folder)
    moved = run.get("own") and uri == store.own_uri(folder.parents[2])  # the project's own store moves with it
    if run["store"] != redacted(uri) and not moved:
        return f"it belongs to another store, {run['store']}. Set MLFLOW_TRACKING_URI to that, or delete the folder"
    owner, me = run["process"], process()
    ended = any(operation.kind == "end" for operation in unsent.stored_operations(folder))
    if is_dead(owner) or (ended and (owner == me or owner["host"] != me["host"])):
        return ""
    return f"its process {owner['pid']} on {owner['host']} still runs"


def end_dead_runs(client: Any, experiment_id: str) -> None:
    """Marks as killed each run of this machine whose status is still RUNNING though its process is gone."""
    for run in client.search_runs([experiment_id], "attributes.status = 'RUNNING'"):
        owner = tags.process(run.data.tags)
        if owner and is_dead(owner):
            client.set_tag(run.info.run_id, tags.REASON, "its process was gone when the next run started")
            client.set_terminated(run.info.run_id, "KILLED")
