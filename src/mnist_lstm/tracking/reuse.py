"""Recorded trainings, whose weights a run can take in place of training: `training.reuse`."""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from mnist_lstm.core.training.arithmetic import arithmetic_of
from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.core.training.fingerprint import differences, fingerprint
from mnist_lstm.core.training.program import CONTINUES, is_same, program
from mnist_lstm.errors import UserError
from mnist_lstm.read_only import ReadOnlyDataset
from mnist_lstm.tracking import load_model, reader, store, tags
from mnist_lstm.tracking.settings import read_settings

MOST = 5  # runs of one fingerprint that are looked at
TRAINED = f"attributes.status = '{reader.FINISHED}' AND tags.`{tags.WEIGHTS}` IS NOT NULL"

logger = logging.getLogger(__name__)


class RecordedDataset(ReadOnlyDataset[Callable[[dict[str, Any]], Checkpoint | None]]):
    """A function that finds the checkpoint of a recorded training by the fingerprint fields, as `recorded`."""

    def load(self) -> Callable[[dict[str, Any]], Checkpoint | None]:
        return partial(recorded, self._path)


def recorded(project: Path, fields: dict[str, Any]) -> Checkpoint | None:
    """The checkpoint of a finished run with these fingerprint fields, trained by this program, or None.

    A log line says whose weights these are, or why there are none. A run that came in a seal does not count, as nobody
    here saw it train.
    """
    enabled = read_settings(store.config_loader(project)).tracking.enabled
    try:
        if not enabled:
            raise UserError("without MLflow (tracking.enabled) no run is known")
        client, _, experiment, _ = store.opened(project)
        return _of_a_run(client, experiment, fields)
    except UserError as error:
        logger.info("Trains, as there are no weights to reuse: %s", error)
        return None


def _of_a_run(client: Any, experiment: str, fields: dict[str, Any]) -> Checkpoint:
    """The same, or a UserError that says why there is none."""
    same = f"{TRAINED} AND tags.`{tags.FINGERPRINT}` = '{fingerprint(fields)}' AND tags.`{tags.SEAL}` IS NULL"
    reason = ""
    for run in islice(reader.runs(client, experiment, same), MOST):
        try:
            found = _usable(client, run)
        except UserError as error:
            reason = reason or str(error)
            continue
        origin = run.data.tags.get(tags.WEIGHTS_OF, run.info.run_id)
        logger.info("Takes the weights of run %s (%s) in place of training.", origin, run.info.run_name)
        return replace(found, weights_of=origin)
    raise UserError(reason or _nearest(client, experiment, fields))


def _usable(client: Any, run: Any) -> Checkpoint:
    """The checkpoint of a run, its weights checked by their digest.

    Raises:
        UserError: if it was changed, or another program trained it.
    """
    found = load_model.of_run(client, run.info.run_id)
    now = program(arithmetic_of(found.fingerprint_fields).portable)
    if not found.state.ended:
        raise UserError(f"the training of run {run.info.run_id} was interrupted.")
    if not found.program or CONTINUES in found.program or not is_same(found.program, now):
        other = differences(now, {key: found.program.get(key) for key in now}) or "two programs trained it"
        raise UserError(f"another program trained run {run.info.run_id}: {other}.")
    return found


def _nearest(client: Any, experiment: str, fields: dict[str, Any]) -> str:
    """That no run is the same, and how the newest differs."""
    newest = next(reader.runs(client, experiment, TRAINED), None)
    if newest is None:
        return f"the experiment {experiment!r} has no run that trained and finished."
    then = load_model.of_run(client, newest.info.run_id).fingerprint_fields
    differing = differences(fields, then) or "nothing, but it came in a seal"
    return f"no recorded run is the same; in the newest, {newest.info.run_id[:12]}, {differing}."
