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
from mnist_lstm.core.data.preparation import EDGE
from mnist_lstm.core.inference.decode import WHITE, GreyImage, PictureError
from mnist_lstm.core.inference.lines import box_of, near, printed_lines, without_specks
from mnist_lstm.core.inference.paper import border, difference

LEAST_CONTRAST = 24  # of 255, between ink and paper; pictures with less are blank
NOISE = 4  # standard deviations of the paper; smaller differences are not ink


class Frame(NamedTuple):
    """Position and size of the ink in the images of a data set."""

    height: int  # of an image, in pixels
    width: int  # likewise
    fill: float  # side of the ink's box, as a fraction of the image's side
    centre: float  # position of the ink's centre of mass, as a fraction of the image's side
    stretched: bool = False  # whether the ink fills its box in both directions, without its aspect ratio


def frame_of(data: DataProfile) -> Frame:
    """The frame of a model's training images."""
    measured = data.preparation
    return Frame(*data.image_shape, measured.fill, measured.centre, measured.stretched)


def prepare(picture: GreyImage, data: DataProfile) -> NDArray[np.uint8]:
    """The picture as an image of the data set: uint8 (height, width), prepared as the data set's source was.

    Where whole pictures became the images, a picture like these is used as a whole, too. Of any other one, the ink is
    cut out and placed where the data set has its ink.

    Raises:
        PictureError: if the picture has no ink.
    """
    source = data.preparation
    if source.whole:
        image = stretched(picture, data.image_shape)
        image = WHITE - image if source.dark_on_light else image
        if source.covers(image):
            return image
    placed = preprocess(picture, frame_of(data))
    return WHITE - placed if source.paper else placed


def stretched(picture: GreyImage, size: tuple[int, int] | None) -> GreyImage:
    """The picture stretched to (height, width), as training stretches whole pictures; as it is for None."""
    return np.asarray(Image.fromarray(picture).resize(size[::-1], Image.Resampling.LANCZOS)) if size else picture


def preprocess(picture: GreyImage, frame: Frame) -> NDArray[np.uint8]:
    """The picture as an image of the data set: uint8 (height, width), 0 for paper and 255 for ink.

    Args:
        picture: uint8 of any size, dark on light or light on dark.

    Raises:
        PictureError: if the picture has no ink.
    """
    strength = ink(picture)
    inside = without_specks(strength > WHITE * EDGE)
    box = box_of(inside)
    return _centred(_scaled(np.where(near(inside[box]), strength[box], 0).astype(np.uint8), frame), frame)


def ink(picture: GreyImage) -> NDArray[np.uint8]:
    """Ink strength of each pixel, 0 to 255: its difference from the paper, without printed lines.

    Raises:
        PictureError: if no pixel differs enough.
    """
    away = difference(picture)
    strength = _strength(away)
    lines = printed_lines(strength > WHITE * EDGE)
    if not lines.any():
        return strength
    away[near(lines)] = 0
    return _strength(away)


def _strength(away: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Ink strength from the difference to the paper; most of the ink is stronger than half of the strongest."""
    spread = min(np.median(np.abs(border(away))), np.median(np.abs(away)))  # a frame covers the border
    noise = NOISE * 1.4826 * float(spread)  # median absolute deviation to sigma
    strong = np.abs(away) > np.abs(away).max() / 2
    towards = 1 if 2 * np.count_nonzero(away[strong] > 0) > np.count_nonzero(strong) else -1
    towards_ink = away * towards
    full = float(np.median(towards_ink[towards_ink > towards_ink.max() / 2])) if towards_ink.max() > 0 else 0.0
    if full < LEAST_CONTRAST:
        raise PictureError("blank: nothing on it stands out from its paper")
    if full < noise:
        raise PictureError("its ink and its paper cannot be told apart: leave more paper around the ink")
    return np.where(towards_ink > noise, np.clip(towards_ink * (WHITE / full), 0, WHITE), 0).astype(np.uint8)


def _scaled(strength: NDArray[np.uint8], frame: Frame) -> NDArray[np.uint8]:
    """The ink scaled to its box, averaged over areas when it shrinks, with full strength restored."""
    height, width = strength.shape
    scale = min(frame.height * frame.fill / height, frame.width * frame.fill / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if frame.stretched:
        size = (max(1, round(frame.width * frame.fill)), max(1, round(frame.height * frame.fill)))
    method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    scaled = np.asarray(Image.fromarray(strength).resize(size, method), np.float64)
    return np.rint(scaled * (WHITE / scaled.max())).astype(np.uint8)  # type: ignore[no-any-return]


def _centred(scaled: NDArray[np.uint8], frame: Frame) -> NDArray[np.uint8]:
    """The image with the ink's centre of mass in the middle, or as near as possible without cutting ink off."""
    from scipy import ndimage  # the import takes 0.2 s, which only predictions need

    image = np.zeros((frame.height, frame.width), np.uint8)
    mass = ndimage.center_of_mass(scaled)
    middle = (frame.height * frame.centre, frame.width * frame.centre)
    rooms = (frame.height - scaled.shape[0], frame.width - scaled.shape[1])
    top, left = (min(max(round(at - of), 0), room) for at, of, room in zip(middle, mass, rooms, strict=True))
    image[top : top + scaled.shape[0], left : left + scaled.shape[1]] = scaled
    return image
