"""Images and series that a data set of one's own should not have: those of training among those to test, and blanks."""

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.data.file_backed import Array, blocks
from mnist_lstm.core.data.pixels import WHITE
from mnist_lstm.core.data.splits import Splits
from mnist_lstm.errors import UserError

FEW = 0.01  # of a split, that may well be there by chance
SMOKE = 10  # images at most that may all be alike, as in a first trial
HELD_OUT = {"valid": "validation", "test": "test"}
ROUNDED = " Pixels from 0 to 1 that were made whole numbers before they were multiplied by 255 are 0, but for white."


def warnings_about(splits: Splits) -> list[str]:
    """What to look at before the accuracy is believed, a sentence each.

    Raises:
        UserError: if all training images are the same.
    """
    place, kind = splits.card.title, splits.card.kind
    known, (blank, binary) = _hashes(splits.train.images), _looks(splits.train.images, kind)
    hint = ROUNDED if binary else ""
    if len(known) > SMOKE and (known == known[0]).all():
        raise UserError(
            f"{place} must hold {kind} that differ, found {len(known):,} to train that are all alike.{hint}"
        )
    found = []
    for split, name in HELD_OUT.items():
        held_out = getattr(splits, split)
        seen = int(np.isin(_hashes(held_out.images), known).sum())
        if seen > max(1, FEW * len(held_out)):
            found.append(
                f"{seen:,} of the {len(held_out):,} {name} {kind} of {place} are also in training, value for value: "
                f"the accuracy on them says little about new ones.{hint}"
            )
    if blank > max(1, FEW * len(splits.train)):
        found.append(
            f"{blank:,} of the {len(splits.train):,} training {kind} of {place} are blank, of one value each.{hint}"
        )
    return found


def _hashes(array: Array) -> NDArray[np.int64]:
    """A hash of the bytes of each element, (N,)."""
    every = (hash(element.tobytes()) for block in blocks(array) for element in block)
    return np.fromiter(every, np.int64, len(array))


def _looks(array: Array, kind: str) -> tuple[int, bool]:
    """How many images are blank, and whether all pixels are 0 or 255; a series may well be constant."""
    if kind != "images":
        return 0, False
    blank, binary = 0, True
    for block in blocks(array):
        values = block.reshape(len(block), -1)
        blank += int((values.max(1) == values.min(1)).sum())
        binary = binary and bool(((values == 0) | (values == WHITE)).all())
    return blank, binary
