"""Finds the paper of a picture: its brightness everywhere, also below a shadow or behind a frame."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.inference.decode import WHITE, GreyImage

STEEPEST = 80  # of 255, from edge to edge: the largest lighting gradient; more is ink along an edge
SHADOW = 0.12  # of the paper's brightness: smaller deviations from the gradient are no shadow
FRAME = 60  # of 255: least difference of a frame along the border from the paper
MOSTLY = 0.65  # fraction of the pixels that are paper, where its frame reaches the border
LIGHT = 90  # of 255: the least median brightness of light paper
LIGHTER = 0.3  # of the contrast: the least difference between a shadow and ink
STROKE = 1 / 3  # of the shorter side: every stroke is thinner
REDUCED = 300  # pixels of the longer side at which a shadow is found


def difference(picture: GreyImage) -> NDArray[np.float32]:
    """The difference of each pixel from the paper, -255 to 255: negative where it is darker."""
    paper = _even(picture)
    if (behind := _behind_frame(picture)) is not None:
        return picture - np.float32(behind)
    away = picture - paper
    if np.median(picture) < LIGHT or not _shadowed(away, paper):
        return away
    shaded = _shaded(picture)
    if not _shadowed(shaded - paper, paper) or _holds_ink(shaded, float(picture.min())):
        return away
    return _without_corners(((picture / shaded - 1) * WHITE).astype(np.float32))


def border(values: NDArray[Any]) -> NDArray[Any]:
    """The values of the first and the last rows and columns of (height, width)."""
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])


def _even(picture: GreyImage) -> NDArray[np.float32]:
    """Brightness of evenly lit paper: the median of the border plus a linear lighting gradient."""
    top, bottom, left, right = (np.median(edge) for edge in (picture[0], picture[-1], picture[:, 0], picture[:, -1]))
    middle = np.median(border(picture))
    down, across = (float(slope) if abs(slope) <= STEEPEST else 0.0 for slope in (bottom - top, right - left))
    y, x = (np.linspace(-0.5, 0.5, side, dtype=np.float32) for side in picture.shape)
    return np.float32(middle) + np.float32(down) * y[:, None] + np.float32(across) * x


def _behind_frame(picture: GreyImage) -> float | None:
    """Brightness of the paper where the border of the picture is the ink of a frame, else None."""
    typical = float(np.median(picture))
    apart = abs(float(np.median(border(picture))) - typical)
    paper = np.abs(picture - np.float32(typical)) < apart / 2
    return typical if apart > FRAME and paper.mean() > MOSTLY else None


def _shadowed(away: NDArray[np.float32], paper: NDArray[np.float32]) -> bool:
    """Whether a tenth of the border or more differs from evenly lit paper."""
    return bool(np.mean(np.abs(border(away)) > SHADOW * border(paper)) > 0.1)


def _shaded(picture: GreyImage) -> NDArray[np.float32]:
    """Brightness of light paper, also where a shadow falls on it.

    A closing (the largest value nearby, then the smallest of these) fills dark strokes and keeps the edges of shadows.
    """
    from scipy import ndimage

    times = -(-max(picture.shape) // REDUCED)
    small = ndimage.median_filter(picture[::times, ::times], 3)
    window = 1 + int(STROKE * min(small.shape))
    closed = ndimage.grey_closing(small, (window, window)).astype(np.float32)
    light = closed.repeat(times, 0).repeat(times, 1)[: picture.shape[0], : picture.shape[1]]
    return np.maximum(light, np.float32(1))  # type: ignore[no-any-return]


def _holds_ink(shaded: NDArray[np.float32], darkest: float) -> bool:
    """Whether the paper is nowhere lighter than the ink, as where strokes are too thick for the closing."""
    return bool(shaded.min() - darkest < LIGHTER * (shaded.max() - darkest))


def _without_corners(away: NDArray[np.float32]) -> NDArray[np.float32]:
    """The difference without the corners of shadows, which the closing fills.

    They are the dark parts at the border, except the darkest part of all.
    """
    from scipy import ndimage

    parts, count = ndimage.label(away < -SHADOW * WHITE, np.ones((3, 3)))
    if count:
        darkness = ndimage.sum_labels(-away, parts, np.arange(count + 1))
        dropped = np.setdiff1d(border(parts), [0, 1 + np.argmax(darkness[1:])])
        away[np.isin(parts, dropped)] = 0
    return away
