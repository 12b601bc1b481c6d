"""The starting point of training: the beginning, or the checkpoint of an interrupted run."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from mnist_lstm.core.training.arithmetic import arithmetic_of
from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.core.training.fingerprint import differences, fingerprint
from mnist_lstm.core.training.program import is_same, program
from mnist_lstm.errors import UserError

FORCE, AUTO = "force", "auto"  # values of `training.resume`

logger = logging.getLogger(__name__)


def checkpoint_to_continue(
    interrupted: Mapping[str, Callable[[], Checkpoint]], fields: dict[str, Any], resume: bool | str
) -> Checkpoint | None:
    """The checkpoint of an interrupted run with these fields, or None to start at the beginning.

    Args:
        interrupted: maps fingerprints to functions that read the checkpoint, newest first.
        fields: the fingerprint fields of the new run.
        resume: whether to continue, "auto" for only where there is an interrupted run, or "force" to continue what
            another program began; if not, a log line mentions a checkpoint that could be continued.

    Raises:
        UserError: if there is nothing to continue, with the differences from the newest checkpoint; or if another
            program began the training.
    """
    found = interrupted.get(fingerprint(fields))
    if not resume and found:
        _mention(found)
    if not resume or (resume == AUTO and not found):
        return None
    checkpoint = (found or _refuse(interrupted, fields))()
    if not checkpoint.state.ended:
        _expect_program(checkpoint.program, program(arithmetic_of(fields).portable), resume)
        return checkpoint
    if resume == AUTO:
        return None
    logger.info("This training had ended, at update %d: there is nothing left to train.", checkpoint.state.iteration)
    return checkpoint


def _expect_program(before: dict[str, Any], now: dict[str, Any], resume: bool | str) -> None:
    """Refuses another program than `before`, unless forced or unknown, as it would end with the bits of neither."""
    if not before or is_same(before, now):
        return
    found = differences(now, {key: before.get(key) for key in now})
    if resume != FORCE:
        raise UserError(
            f"training.resume needs the program that began the training, found another: {found}; go back to that one, "
            f"or mix the two with training.resume={FORCE}, which is recorded."
        )
    logger.warning("Another program began this training: %s. The two together cannot be reproduced.", found)


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
