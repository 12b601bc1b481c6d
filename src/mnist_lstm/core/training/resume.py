"""Where training starts: at the beginning, or where an interrupted run of the same parameters and data stopped."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.core.training.fingerprint import differences, fingerprint
from mnist_lstm.core.training.learner import TrainingState
from mnist_lstm.errors import UserError

logger = logging.getLogger(__name__)


def starting_state(
    interrupted: Mapping[str, Callable[[], Checkpoint]], fields: dict[str, Any], resume: bool
) -> TrainingState | None:
    """Where training starts: None at the beginning, or the state that an interrupted run with these fields left.

    Args:
        interrupted: fingerprint to a function that reads that checkpoint, newest first.
        fields: the fingerprint fields of the run that starts.
        resume: whether to continue; otherwise a line in the log says so where one could.

    Raises:
        UserError: if there is nothing to continue, naming what differs from the newest.
    """
    found = interrupted.get(fingerprint(fields))
    if resume:
        state = (found or _refuse(interrupted, fields))().state
        if state.ended:
            logger.info("This training had ended, at update %d: there is nothing left to train.", state.iteration)
        return state
    if found:
        _tell(found)
    return None


def _tell(found: Callable[[], Checkpoint]) -> None:
    try:
        state = found().state
    except UserError as error:
        logger.warning("%s This run replaces it.", error)
        return
    if not state.ended:
        logger.warning(
            "An interrupted run of these parameters left a checkpoint at update %d. This run starts anew and "
            "replaces it; to continue it instead: --params training.resume=true",
            state.iteration,
        )


def _refuse(interrupted: Mapping[str, Callable[[], Checkpoint]], fields: dict[str, Any]) -> NoReturn:
    if not interrupted:
        raise UserError("training.resume needs the checkpoint of an interrupted run, found none; leave it out.")
    newest = next(iter(interrupted.values()))()
    raise UserError(
        "training.resume needs the parameters and data of the interrupted run: "
        f"{differences(fields, newest.fingerprint_fields)}; set them back, or leave training.resume out."
    )
