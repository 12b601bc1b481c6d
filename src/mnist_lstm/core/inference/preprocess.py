"""A user's picture to what the network was trained on: ink alone, of one size, at one place.

MNIST was made so: the ink of a digit scaled to fit a box of 20 x 20 pixels, its aspect kept, its edges grey from that
scaling, and its centre of mass moved to the middle of 28 x 28 pixels.
Source: LeCun, Cortes and Burges, http://yann.lecun.com/exdb/mnist/.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnist_lstm.core.data.data_card import DataProfile
from mnist_lstm.core.inference.decode import WHITE, GreyImage, PictureError

LEAST_CONTRAST = 24  # of 255, between ink and paper; below it a picture is blank
EDGE = 0.25  # of the ink's strength: where a stroke begins
NOISE = 4  # standard deviations of the paper that are no ink
STEEPEST = 80  # of 255, from edge to edge, that is a fall of light; more is ink along an edge
SPECK = 0.03  # of the largest part: smaller ones are dust


class Frame(NamedTuple):
    """Where the ink lies in the images of a data set.

    Attributes:
        height, width: of an image, in pixels.
        fill: the side of the ink's box, as a fraction of the image's.
        centre: of the ink's mass, as a fraction of the image's side.
    """

    height: int
    width: int
    fill: float
    centre: float


# How far ink reaches and where its centre is, as fractions. MNIST's stand in its description; those of the bundled
# digits, and both centres, were measured on the images.
FILLS = {"mnist": (20 / 28, 0.5), "digits": (1.0, 0.44)}


def frame_of(data: DataProfile) -> Frame:
    """The frame of the images that a model was trained on; data sets that are not known are taken to be like MNIST."""
    return Frame(*data.image_shape, *FILLS.get(data.name, FILLS["mnist"]))


def preprocess(picture: GreyImage, frame: Frame) -> NDArray[np.uint8]:
    """The picture as an image of the data set: uint8 (height, width), 0 for paper and 255 for ink.

    Args:
        picture: of any size, dark on light or light on dark.
        frame: of the data set.

    Raises:
        PictureError: if there is no ink on it.
    """
    strength = ink(picture)
    inside = _without_specks(strength > WHITE * EDGE)
    rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return _centred(_scaled(np.where(_near(inside[box]), strength[box], 0).astype(np.uint8), frame), frame)


def ink(picture: GreyImage) -> NDArray[np.uint8]:
    """How much of each pixel is ink, 0 to 255: what differs from the paper, which most of the border is.

    Raises:
        PictureError: if nothing does.
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
    """The brightness of the paper: the border's median, and a light that falls evenly from one side to the other."""
    top, bottom, left, right = (np.median(edge) for edge in (picture[0], picture[-1], picture[:, 0], picture[:, -1]))
    middle = np.median(np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]]))
    down, across = (float(slope) if abs(slope) <= STEEPEST else 0.0 for slope in (bottom - top, right - left))
    y, x = (np.linspace(-0.5, 0.5, side, dtype=np.float32) for side in picture.shape)
    return np.float32(middle) + np.float32(down) * y[:, None] + np.float32(across) * x


def _without_specks(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The connected parts that are not small beside the largest."""
    from scipy import ndimage  # 0.2 s that a run without a user's pictures need not wait for

    parts, _ = ndimage.label(inside, np.ones((3, 3)))
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return (sizes >= SPECK * sizes.max())[parts] & inside  # type: ignore[no-any-return]


def _near(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels inside a stroke or beside one: its soft edge."""
    from scipy import ndimage

    return ndimage.binary_dilation(inside, np.ones((3, 3)))  # type: ignore[no-any-return]


def _scaled(strength: NDArray[np.uint8], frame: Frame) -> NDArray[np.uint8]:
    """The ink in its box of the frame: averaged over areas where it shrinks, and as strong as it was."""
    height, width = strength.shape
    scale = min(frame.height * frame.fill / height, frame.width * frame.fill / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    scaled = np.asarray(Image.fromarray(strength).resize(size, method), np.float64)
    return np.rint(scaled * (WHITE / scaled.max())).astype(np.uint8)  # type: ignore[no-any-return]


def _centred(scaled: NDArray[np.uint8], frame: Frame) -> NDArray[np.uint8]:
    """The frame with the centre of the ink's mass in its middle, or as near as the ink stays whole."""
    from scipy import ndimage

    image = np.zeros((frame.height, frame.width), np.uint8)
    mass = ndimage.center_of_mass(scaled)
    middle = (frame.height * frame.centre, frame.width * frame.centre)
    rooms = (frame.height - scaled.shape[0], frame.width - scaled.shape[1])
    top, left = (min(max(round(at - of), 0), room) for at, of, room in zip(middle, mass, rooms, strict=True))
    image[top : top + scaled.shape[0], left : left + scaled.shape[1]] = scaled
    return image
