"""Series of numbers that are no images: recognised, checked, and made float32 (N, T, F), nan after their last step."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.data.file_backed import FileBackedArray
from mnist_lstm.errors import UserError


def are_series(parts: Mapping[str, Any], kind: str | None, place: str) -> bool:
    """Whether arrays of numbers are series.

    Args:
        parts: by split, (N, ...).
        kind: the parameter `data.kind`; None: bytes, whole numbers from -1 on, squares and colours are images; other
            fractions are series if some are beyond -1 to 1.

    Raises:
        UserError: if it is not certain.
    """
    array = parts["train"]
    bytes_or_colours = isinstance(array, FileBackedArray) or array.dtype.kind not in "if" or array.ndim not in (2, 3)
    if kind is not None or bytes_or_colours:
        return kind == "series"
    ended = any((np.isnan(each[:, -1]) & ~np.isnan(each[:, 0])).any() for each in parts.values())
    whole = array.dtype.kind == "i" or (array == np.rint(array)).all()
    if (array.ndim == 3 and array.shape[1] == array.shape[2] and not ended) or (whole and (array >= -1).all()):
        return False
    if whole or (not ended and np.abs(array).max() <= 1):
        raise UserError(
            f"{place} must say whether it holds images or series of numbers, found numbers from {array.min():.3g} to "
            f"{array.max():.3g} in the shape {array.shape}; pass --params data.kind=series, or images."
        )
    return True


def checked(parts: Mapping[str, Any], place: str) -> dict[str, NDArray[np.float32]]:
    """The series of each split, float32 (N, T, F), all of the T steps of the longest.

    Args:
        parts: by split, (N, T, F), or (N, T) of one feature, nan after the last step of each series.

    Raises:
        UserError: if the shapes differ, a value is missing or infinite, or a series has no step.
    """
    found = {split: _three_axes(array, f"{place} ({split})") for split, array in parts.items()}
    features = {split: array.shape[2] for split, array in found.items()}
    if len({*features.values()}) > 1:
        listed = ", ".join(f"{count} in {split}" for split, count in features.items())
        raise UserError(f"{place} must hold series of one number of features, found {listed}.")
    for split, array in found.items():
        _expect_complete(array, f"{place} ({split})")
    steps = max(int((~np.isnan(array[..., 0])).sum(axis=1).max()) for array in found.values())
    return {split: padded(array, steps) for split, array in found.items()}


def padded(series: NDArray[np.float32], steps: int) -> NDArray[np.float32]:
    """The series (N, T, F) with nan up to a number of steps; those after it, which are nan, go."""
    more = max(steps - series.shape[1], 0)
    return np.ascontiguousarray(np.pad(series, ((0, 0), (0, more), (0, 0)), constant_values=np.nan)[:, :steps])


def sentence(parts: Mapping[str, NDArray[np.float32]]) -> str:
    """How many series of how many steps and features."""
    lengths = np.concatenate([(~np.isnan(array[..., 0])).sum(axis=1) for array in parts.values()])
    steps = f"{lengths.min()} to {lengths.max()}" if lengths.min() < lengths.max() else f"{lengths.max()}"
    features = next(iter(parts.values())).shape[2]
    return f"{len(lengths):,} series of {steps} steps of {features} feature{'s' * (features > 1)}"


def _three_axes(found: Any, place: str) -> NDArray[np.float32]:
    array = np.asarray(found)
    if array.dtype.kind not in "biuf" or array.ndim not in (2, 3) or 0 in array.shape:
        raise UserError(
            f"{place} must hold series of numbers (N, steps, features), or (N, steps) of one feature, found "
            f"{array.dtype} {array.shape}."
        )
    with np.errstate(over="ignore"):
        return np.atleast_3d(array.astype(np.float32))  # (N, T) becomes (N, T, 1)


def _expect_complete(array: NDArray[np.float32], place: str) -> None:
    """Checks that nan stands after the last step of a series alone."""
    absent = np.isnan(array)
    steps = np.arange(1, array.shape[1] + 1)
    lengths = (steps * ~absent.all(axis=2)).max(axis=1)
    for wrong, what in (
        (absent & (steps <= lengths[:, None])[..., None], "a missing value"),
        (np.isinf(array), "an infinite number, or one beyond float32"),
    ):
        if wrong.any():
            number, step, feature = np.argwhere(wrong)[0]
            raise UserError(
                f"{place} must have a number for each feature up to the last step, found {what} in series {number} "
                f"(from 0), step {step}, feature {feature}; fill it, or leave the series out."
            )
    if (lengths == 0).any():
        raise UserError(
            f"{place} must hold series of a step or more, found none in series {lengths.argmin()} (from 0)."
        )
