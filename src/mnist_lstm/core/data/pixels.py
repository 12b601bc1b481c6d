"""Pixels as files hold them, of any type and range, made grey values from 0 for paper to 255 for ink."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.data.file_backed import Array, FileBackedArray
from mnist_lstm.errors import UserError

BLOCK = 1000  # images converted at a time
WHITE = 255
MOST_APART = 8  # times; by which the highest pixels of two splits may differ
NEGATIVE = -0.5  # lowest float of pixels that reach from -1; those of a resampled 0 to 1 lie barely below 0
FEW_LEVELS = (1, 15, 16)  # highest values of whole numbers that are stretched to 255
LUMA = (19595, 38470, 7471)  # of red, green and blue, in 65536ths: ITU-R 601 as Pillow computes it


def grey_values(parts: Mapping[str, Any], place: str, brightest: float | None = None) -> tuple[dict[str, Any], str]:
    """The images of each split as uint8 (N, height, width), and what was done to them, or nothing.

    Args:
        parts: images (N, height, width), (N, height, width, channels) or, as torch has them, (N, channels, height,
            width), of whole numbers or floats.
        brightest: the value that becomes 255, and 0 becomes 0; None: by the range of all pixels.

    Raises:
        UserError: if the shape is another, a pixel is no number, or brighter than `brightest`.
    """
    parts = {split: _channels_last(images) for split, images in parts.items()}
    shapes = {images.shape for images in parts.values()}
    if wrong := [shape for shape in shapes if len(shape) not in (3, 4) or shape[3:] not in ((), (1,), (3,), (4,))]:
        raise UserError(f"{place} must hold images (N, height, width) or with 1, 3 or 4 channels, found {wrong[0]}.")
    if empty := [f"{split} of the shape {images.shape}" for split, images in parts.items() if 0 in images.shape]:
        raise UserError(f"{place} must hold images in each part, found {empty[0]}; fill that part or leave it out.")
    ranges = {split: _range(images, place) for split, images in parts.items()}
    lows, highs, wholes = zip(*ranges.values(), strict=True)
    lowest, highest = min(lows), max(highs)
    if brightest is None:
        _expect_alike(ranges, place)
    elif not 0 <= lowest <= highest <= brightest:
        raise UserError(
            f"{place} must have pixels from 0 to data.brightest ({brightest:g}), found {lowest:g} to {highest:g}."
        )
    convert, said = _conversion(lowest, highest, all(wholes)) if brightest is None else _scaled(0, brightest)
    colours = any(shape[3:] in ((3,), (4,)) for shape in shapes)
    done = [said] * bool(said) + ["colours are made grey (luma)"] * colours
    return {split: _converted(images, convert, place) for split, images in parts.items()}, "; ".join(done)


def _channels_last(images: Any) -> Any:
    """Images (N, height, width, channels) of those with 1, 3 or 4 channels first; any others as they are."""
    if images.ndim != 4 or images.shape[1] not in (1, 3, 4) or images.shape[3] in (1, 3, 4):
        return images
    if isinstance(images, FileBackedArray):
        sides = images.shape[1:]
        return images.ordered(np.ascontiguousarray(np.arange(math.prod(sides)).reshape(sides).transpose(1, 2, 0)))
    return images.transpose(0, 2, 3, 1)


def oriented(images: Array, transposed: bool) -> Any:
    """The images with rows and columns swapped if they are transposed."""
    if not transposed:
        return images
    if isinstance(images, FileBackedArray):
        _, height, width = images.shape
        return images.ordered(np.ascontiguousarray(np.arange(height * width).reshape(height, width).T))
    return np.ascontiguousarray(images.transpose(0, 2, 1))


def inverted(images: Array, place: str) -> Any:
    """Light for dark.

    Raises:
        UserError: if the images are larger than memory.
    """
    if isinstance(images, FileBackedArray):
        raise UserError(f"{place} is larger than memory, so its pixels must be light ink on dark paper; invert them.")
    return np.subtract(WHITE, images, dtype=np.uint8)


def _range(images: Any, place: str) -> tuple[float, float, bool]:
    """The lowest and the highest pixel of a split, and whether all are whole numbers."""
    lowest, highest, whole = np.inf, -np.inf, True
    if images.dtype.kind not in "biuf":
        raise UserError(f"{place} must hold numbers for pixels, found {images.dtype}.")
    for start in range(0, len(images), BLOCK):
        block = images[start : start + BLOCK]
        if not np.isfinite(low := float(block.min())) or not np.isfinite(high := float(block.max())):
            raise UserError(f"{place} must hold a number for each pixel, found nan or an infinite one.")
        lowest, highest = min(lowest, low), max(highest, high)
        whole = whole and (block.dtype.kind in "biu" or bool((block == np.rint(block)).all()))
    return lowest, highest, whole


def _expect_alike(ranges: Mapping[str, tuple[float, float, bool]], place: str) -> None:
    """One split from 0 to 1 next to another from 0 to 255 would become black."""
    tops = {split: max(-lowest, highest) for split, (lowest, highest, _) in ranges.items()}
    if max(tops.values()) > max(FEW_LEVELS[-1], MOST_APART * min(tops.values())):
        found = ", ".join(f"{low:g} to {high:g} in {split}" for split, (low, high, _) in ranges.items())
        raise UserError(
            f"{place} must have pixels of one range in all splits, found {found}; scale them alike, or "
            "name the value of white in all of them: --params data.brightest=255."
        )


def _conversion(lowest: float, highest: float, whole: bool) -> tuple[Callable[[Any], Any] | None, str]:
    """How pixels of this range become 0 to 255 (None: as they are), and what to say of it."""
    bottom, top = lowest, highest
    if whole and lowest >= 0 and highest <= WHITE and (levels := [each for each in FEW_LEVELS if highest <= each]):
        bottom, top = 0, levels[0]
    elif whole and lowest >= 0 and highest <= WHITE:
        return None, ""
    elif not whole and lowest >= 0 and highest <= 1:
        bottom, top = 0, 1
    elif not whole and -1 <= lowest < NEGATIVE and highest <= 1:
        bottom, top = -1, 1
    return _scaled(bottom, top)


def _scaled(bottom: float, top: float) -> tuple[Callable[[Any], Any], str]:
    scale = WHITE / ((top - bottom) or 1)
    return lambda block: (block.astype(np.float64) - bottom) * scale, f"pixels {bottom:g} to {top:g} became 0 to 255"


def _converted(images: Any, convert: Callable[[Any], Any] | None, place: str) -> Any:
    if convert is None and images.dtype == np.uint8 and images.ndim == 3:
        return images
    grey = np.empty(images.shape[:3], np.uint8)
    for start in range(0, len(images), BLOCK):
        block = np.asarray(images[start : start + BLOCK])
        block = convert(block) if convert else block
        grey[start : start + BLOCK] = _luma(np.rint(block).astype(np.uint8), place)
    return grey


def _luma(block: NDArray[np.uint8], place: str) -> NDArray[np.uint8]:
    if block.ndim == 3 or block.shape[3] == 1:
        return block.reshape(block.shape[:3])
    if (block[..., 3:] != WHITE).any():
        raise UserError(f"{place} must hold opaque pixels, found transparent ones in channel 4; lay them on paper.")
    return ((block[..., :3].astype(np.uint32) @ np.array(LUMA, np.uint32) + 0x8000) >> 16).astype(np.uint8)
