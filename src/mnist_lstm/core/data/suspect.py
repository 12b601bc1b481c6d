"""Images and series that a data set of one's own should not have: those of training among those to test, and blanks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.data.file_backed import Array, blocks
from mnist_lstm.core.data.splits import Splits
from mnist_lstm.errors import UserError

FEW = 0.01  # of a split, that may well be there by chance
HELD_OUT = {"valid": "validation", "test": "test"}


def warnings_about(splits: Splits) -> list[str]:
    """What to look at before the accuracy is believed, a sentence each.

    Raises:
        UserError: if all training images are the same.
    """
    place, kind = splits.card.title, splits.card.kind
    known = _hashes(splits.train.images)
    if len(known) > 1 and (known == known[0]).all():
        raise UserError(
            f"{place} must hold {kind} that differ, found {len(known):,} to train that are all alike. Pixels "
            "from 0 to 1 that were made whole numbers before they were multiplied by 255 are all 0."
        )
    found = []
    for split, name in HELD_OUT.items():
        held_out = getattr(splits, split)
        seen = int(np.isin(_hashes(held_out.images), known).sum())
        if seen > FEW * len(held_out):
            found.append(
                f"{seen:,} of the {len(held_out):,} {name} {kind} of {place} are also in training, value for value: "
                "the accuracy on them says little about new ones."
            )
    blank = sum(int(_is_blank(block).sum()) for block in blocks(splits.train.images))
    if blank > FEW * len(splits.train):
        found.append(f"{blank:,} of the {len(splits.train):,} training {kind} of {place} are blank, of one value each.")
    return found


def _hashes(array: Array) -> NDArray[np.int64]:
    """A hash of the bytes of each element, (N,)."""
    every = (hash(element.tobytes()) for block in blocks(array) for element in block)
    return np.fromiter(every, np.int64, len(array))


def _is_blank(block: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether each element has one value alone, (N,); nan, after the end of a series, is none."""
    values = block.reshape(len(block), -1)
    return np.fmax.reduce(values, axis=1) == np.fmin.reduce(values, axis=1)  # type: ignore[no-any-return]
