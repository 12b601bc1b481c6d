"""Converts a user's picture to the form of the training images: only ink, scaled and centred.

MNIST's digits were scaled to fit a box of 20 x 20 pixels with their aspect ratio preserved, which made their edges
grey. Then their centre of mass was moved to the middle of 28 x 28 pixels.
Source: LeCun, Cortes and Burges, http://yann.lecun.com/exdb/mnist/.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnist_lstm.core.data.data_card import DataProfile
from mnist_lstm.core.inference.decode import WHITE, GreyImage, PictureError

LEAST_CONTRAST = 24  # of 255, between ink and paper; pictures with less are blank
EDGE = 0.25  # fraction of the ink's strength at which a stroke begins
NOISE = 4  # standard deviations of the paper; smaller differences are not ink
STEEPEST = 80  # of 255, from edge to edge: the largest lighting gradient; more is ink along an edge
SPECK = 0.03  # fraction of the size of the largest part; smaller parts are dust


class Frame(NamedTuple):
    """Position and size of the ink in the images of a data set.

    Attributes:
        height, width: of an image, in pixels.
        fill: side of the ink's box, as a fraction of the image's side.
        centre: position of the ink's centre of mass, as a fraction of the image's side.
    """

    height: int
    width: int
    fill: float
    centre: float


def frame_of(data: DataProfile) -> Frame:
    """The frame of a model's training images."""
    return Frame(*data.image_shape, data.preparation.fill, data.preparation.centre)


def preprocess(picture: GreyImage, frame: Frame) -> NDArray[np.uint8]:
    """The picture as an image of the data set: uint8 (height, width), 0 for paper and 255 for ink.

    Args:
        picture: uint8 of any size, dark on light or light on dark.
        frame: of the data set.

    Raises:
        PictureError: if the picture has no ink.
    """
    strength = ink(picture)
    inside = _without_specks(strength > WHITE * EDGE)
    rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return _centred(_scaled(np.where(_near(inside[box]), strength[box], 0).astype(np.uint8), frame), frame)


def ink(picture: GreyImage) -> NDArray[np.uint8]:
    """Ink strength of each pixel, 0 to 255: its difference from the paper, which fills most of the border.

    Raises:
        PictureError: if no pixel differs enough.
    """
    away = picture - _paper(picture)
    border = np.concatenate([away[0], away[-1], away[:, 0], away[:, -1]])
    noise = NOISE * 1.4826 * float(np.median(np.abs(border)))  # median absolute deviation to sigma
    strong = np.abs(away) > np.abs(away).max() / 2
    towards = 1 if 2 * np.count_nonzero(away[strong] > 0) > np.count_nonzero(strong) else -1
    away *= towards
    full = float(np.median(away[away > away.max() / 2])) if away.max() > 0 else 0.0
    if full < max(LEAST_CONTRAST, noise):
        raise PictureError("blank: nothing on it stands out from its paper")
    return np.where(away > noise, np.clip(away * (WHITE / full), 0, WHITE), 0).astype(np.uint8)


def _paper(picture: GreyImage) -> NDArray[np.float32]:
    """Brightness of the paper: the median of the border plus a linear lighting gradient."""
    top, bottom, left, right = (np.median(edge) for edge in (picture[0], picture[-1], picture[:, 0], picture[:, -1]))
    middle = np.median(np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]]))
    down, across = (float(slope) if abs(slope) <= STEEPEST else 0.0 for slope in (bottom - top, right - left))
    y, x = (np.linspace(-0.5, 0.5, side, dtype=np.float32) for side in picture.shape)
    return np.float32(middle) + np.float32(down) * y[:, None] + np.float32(across) * x


def _without_specks(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The connected parts that are not small relative to the largest."""
    from scipy import ndimage  # the import takes 0.2 s, which only predictions need

    parts, _ = ndimage.label(inside, np.ones((3, 3)))
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return (sizes >= SPECK * sizes.max())[parts] & inside  # type: ignore[no-any-return]


def _near(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels inside or next to a stroke, including its soft edge."""
    from scipy import ndimage

    return ndimage.binary_dilation(inside, np.ones((3, 3)))  # type: ignore[no-any-return]


def _scaled(strength: NDArray[np.uint8], frame: Frame) -> NDArray[np.uint8]:
    """The ink scaled to its box, averaged over areas when it shrinks, with full strength restored."""
    height, width = strength.shape
    scale = min(frame.height * frame.fill / height, frame.width * frame.fill / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    scaled = np.asarray(Image.fromarray(strength).resize(size, method), np.float64)
    return np.rint(scaled * (WHITE / scaled.max())).astype(np.uint8)  # type: ignore[no-any-return]


def _centred(scaled: NDArray[np.uint8], frame: Frame) -> NDArray[np.uint8]:
    """The image with the ink's centre of mass in the middle, or as near as possible without cutting ink off."""
    from scipy import ndimage

    image = np.zeros((frame.height, frame.width), np.uint8)
    mass = ndimage.center_of_mass(scaled)
    middle = (frame.height * frame.centre, frame.width * frame.centre)
    rooms = (frame.height - scaled.shape[0], frame.width - scaled.shape[1])
    top, left = (min(max(round(at - of), 0), room) for at, of, room in zip(middle, mass, rooms, strict=True))
    image[top : top + scaled.shape[0], left : left + scaled.shape[1]] = scaled
    return image
