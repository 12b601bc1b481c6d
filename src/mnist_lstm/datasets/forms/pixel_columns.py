"""Columns of pixels: which one holds the labels, and how a row becomes an image."""

import logging
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mnist_lstm.core.data.labels import MOST_CLASSES
from mnist_lstm.data_parameters import DataParameters
from mnist_lstm.datasets.forms.raw import LABELS, words
from mnist_lstm.errors import UserError

logger = logging.getLogger(__name__)


class ColumnsError(UserError):
    """Columns that do not tell pixels from labels; before the semicolon stands what was found."""


def shaped(pixels: Any, data: DataParameters, path: Path, names: Sequence[str] = ()) -> Any:
    """Rows of pixels (N, P) as images (N, height, width): square, unless the parameter `data.size` says otherwise.

    Args:
        names: of the columns, which may number the pixels; empty: they have none.

    Raises:
        ColumnsError: if they do not fit.
    """
    if order := other_order(names):
        logger.info("The columns of %s are read in the order of their numbers.", path.name)
        pixels = np.take(pixels, order, axis=1)
    count = pixels.shape[1]
    height, width = data.height_and_width or (math.isqrt(count),) * 2
    if height * width != count:
        raise ColumnsError(
            f"{path} must have as many pixels in a row as an image, found {count}, which is "
            f"{'not ' + str(data.size) if data.size else 'no square'}; say the size (--params data.size=HEIGHTxWIDTH) "
            "or the column of the labels (--params data.label_column=NAME), or remove a column that holds no pixels."
        )
    return pixels.reshape(len(pixels), height, width)


def other_order(names: Sequence[str]) -> list[int] | None:
    """The positions of columns in the order of their numbers, where they lie pixel0, pixel1, pixel10, ...

    None where they lie so, and where the names are not one word and all numbers from 0 or 1 on.
    """
    found = [re.fullmatch(r"(\D*)(\d{1,9})", name) for name in names]
    if not names or not all(found) or len({each[1] for each in found if each}) > 1:
        return None
    numbers = [int(each[2]) for each in found if each]
    order = sorted(range(len(numbers)), key=numbers.__getitem__)
    in_order = [numbers[at] - numbers[order[0]] for at in order]
    whole = numbers[order[0]] in (0, 1) and in_order == list(range(len(numbers)))
    return order if whole and order != in_order else None


def without_name(columns: list[str]) -> list[int]:
    """The positions of row numbers as pandas writes them, and of empty columns after the last comma of each row.

    Empty where most columns have no name, as in a table that names its labels alone: these are pixels.
    """
    found = [at for at, name in enumerate(columns) if re.fullmatch(r"(Unnamed: \d+|__index_level_\d+__)?", name)]
    return found if 2 * len(found) < len(columns) else []


def label_position(
    path: Path, columns: list[str], ends: Callable[[], tuple[Any, Any]] | None, data: DataParameters
) -> int | None:
    """The position of the labels' column; None where all columns are pixels.

    Args:
        columns: their names; positions where there is no header.
        ends: gives all values of the first and the last column, one of which holds the labels where there is no
            header; all, as a file that is sorted by class begins with thousands of rows of one. None with a header.

    Raises:
        UserError: if the parameter names none.
        ColumnsError: if it is not certain.
    """
    if data.label_column is not None:
        names = [name.lower() for name in columns]
        asked = str(data.label_column).lower()
        if asked in names:
            return names.index(asked)
        if asked.isdigit() and int(asked) < len(names):
            return int(asked)
        raise UserError(
            f"parameter 'data.label_column' must be a column of {path} ({columns[0]} to {columns[-1]}), not "
            f"{data.label_column!r}."
        )
    count = len(columns) - len(without_name(columns))
    if ends is None:
        found = [position for position, name in enumerate(columns) if any(word in LABELS for word in words(name))]
    elif _square(count) and not _square(count - 1):
        return None
    else:
        first, last = ends()
        found = [at for at, values in ((0, first), (len(columns) - 1, last)) if 2 <= values.nunique() <= MOST_CLASSES]
    if not found and _square(count):
        return None
    if len(found) != 1:
        candidates = ", ".join(columns[at] for at in found) or "none"
        raise ColumnsError(
            f"{path} must have one column of labels, found {candidates} of {len(columns)} columns; name it: --params "
            "data.label_column=NAME (or its position from 0)."
        )
    return found[0]


def _square(count: int) -> bool:
    return math.isqrt(count) ** 2 == count
