"""Labels as files hold them, mapped to the numbers 0 to K - 1 that the classifier is trained with."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.errors import UserError

MOST_CLASSES = 256  # a label is one byte


class Labels(NamedTuple):
    """Mapped labels."""

    parts: dict[str, NDArray[np.uint8]]  # uint8 (N,) of each split
    class_names: list[str]  # of label 0 to K - 1
    sentence: str  # which labels the files hold and how they were mapped


def mapped(parts: Mapping[str, Any], names: Mapping[Any, str] | None, place: str) -> Labels:
    """Maps the distinct values, numbers by size and words by alphabet, to 0 to K - 1.

    Args:
        parts: labels (N,) of each split, numbers or words.
        names: of the values, where the source has names for them; a value without a name is its own.

    Raises:
        UserError: if a label is missing or no whole number, if there are not 2 to 256 classes, or if a split has a
            class that the training data lack.
    """
    plain = {split: _plain(labels, f"{place} ({split})") for split, labels in parts.items()}
    values: list[Any] = np.unique(plain[next(iter(plain))]).tolist()  # those of training: the first split
    for split, labels in plain.items():
        if missing := [value for value in np.unique(labels).tolist() if value not in values]:
            raise UserError(
                f"{place} must have labels in {split} that its training data have ({_listed(values)}), found "
                f"{missing[0]!r}."
            )
    if not 2 <= len(values) <= MOST_CLASSES:
        raise UserError(
            f"{place} must hold 2 to {MOST_CLASSES} classes, found {len(values)} different labels; name the column of "
            "the labels: --params data.label_column=NAME."
        )
    class_names = [(names or {}).get(value, str(value)) for value in values]
    order = np.array(values)
    found = {split: np.searchsorted(order, labels).astype(np.uint8) for split, labels in plain.items()}
    return Labels(found, class_names, _sentence(values, class_names))


def _plain(found: Any, place: str) -> NDArray[Any]:
    """Labels as int64 or, if one of them is no number, as text."""
    labels: NDArray[Any] = np.asarray(found)
    if labels.dtype.kind in "biuf":
        bad = np.flatnonzero(~np.isfinite(labels) | (labels != np.rint(labels)))
        if len(bad):
            raise UserError(f"{place} must have whole numbers or words for labels, found {labels[bad[0]]} at {bad[0]}.")
        return labels.astype(np.int64)
    words: NDArray[Any] = np.array(
        [each.decode() if isinstance(each, bytes) else str(each).strip() for each in labels.tolist()]
    )
    if empty := [position for position, word in enumerate(words) if word in ("", "nan", "None")]:
        raise UserError(f"{place} must have a label for each image, found none at {empty[0]}.")
    try:
        numbers = words.astype(np.float64)
    except ValueError:
        return words
    return numbers.astype(np.int64) if (numbers == np.rint(numbers)).all() else words


def _sentence(values: list[Any], class_names: list[str]) -> str:
    count = f"{len(values)} classes"
    if values == list(range(len(values))):
        named = "" if class_names == [str(value) for value in values] else f" ({_listed(class_names)})"
        return f"{count}, labels 0 to {len(values) - 1}{named}"
    if isinstance(values[0], str):
        return f"{count}: {_listed(values)}"
    gaps = [value for value in range(values[0], values[-1]) if value not in values]
    without = f" without {_listed(gaps)}" if 0 < len(gaps) <= len(values) else ""
    now = _listed(class_names) if class_names != [str(value) for value in values] else f"0 to {len(values) - 1}"
    return f"{count}: labels {values[0]} to {values[-1]}{without} are mapped to {now}"


def _listed(values: list[Any]) -> str:
    shown = [str(value) for value in values]
    return ", ".join(shown if len(shown) <= 10 else [*shown[:4], "...", *shown[-2:]])
