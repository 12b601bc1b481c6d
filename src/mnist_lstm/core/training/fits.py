"""Whether a checkpoint fits the data that it is to classify."""

import numpy as np

from mnist_lstm.core.data.data_card import DataProfile
from mnist_lstm.core.data.sequences import SequenceSplit
from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.errors import UserError


def expect_data(checkpoint: Checkpoint, card: DataProfile, part: SequenceSplit, others: bool = False) -> None:
    """Checks that a checkpoint fits the data.

    Args:
        others: whether they may be others of the same form than those of its training, as with `of=RUN`.

    Raises:
        UserError: if name, form, labels of classes or view are others than they may be.
    """
    remedy = "run the complete pipeline: `kedro run`."
    if others:
        remedy = "name others (data.name, data.path), or another run."
        if checkpoint.data.form != card.form:
            raise UserError(
                f"of=RUN needs data as the run was trained on, {checkpoint.data.form} ({checkpoint.data.title}), found "
                f"{card.form} ({card.title}); {remedy}"
            )
    wanted, found = checkpoint.pixel_order(), part.pixel_order
    if (checkpoint.data.name != card.name and not others) or wanted.shape != found.shape:
        raise UserError(
            f"the checkpoint was trained on {checkpoint.data.name} in sequences of {wanted.shape}, found {card.name} "
            f"in sequences of {found.shape}; {remedy}"
        )
    _expect_labels(checkpoint.data.class_names, card.class_names, remedy)
    if not np.array_equal(wanted, found):
        raise UserError(
            f"the checkpoint was trained on the view {checkpoint.sequence.view!r}, found sequences of another; {remedy}"
        )


def _expect_labels(trained: list[str], given: list[str], remedy: str) -> None:
    """Classes may have other names, but none that another label had in training."""
    if len(trained) != len(given):
        raise UserError(f"the checkpoint was trained on {len(trained)} classes, found {len(given)}; {remedy}")
    for label, name in enumerate(given):
        if name != trained[label] and name in trained:
            raise UserError(
                f"class {name!r} was label {trained.index(name)} in training, found it as label {label}; {remedy}"
            )
