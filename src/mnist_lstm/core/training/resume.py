"""The starting point of training: the beginning, or the checkpoint of an interrupted run."""

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
    """The state of an interrupted run with these fields, or None to start at the beginning.

    Args:
        interrupted: maps fingerprints to functions that read the checkpoint, newest first.
        fields: the fingerprint fields of the new run.
        resume: whether to continue; if not, a log line mentions a checkpoint that could be continued.

    Raises:
        UserError: if there is nothing to continue; names the differences from the newest checkpoint.
    """
    found = interrupted.get(fingerprint(fields))
    if resume:
        state = (found or _refuse(interrupted, fields))().state
        if state.ended:
            logger.info("This training had ended, at update %d: there is nothing left to train.", state.iteration)
        return state
    if found:
        _mention(found)
    return None


def _mention(found: Callable[[], Checkpoint]) -> None:
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
