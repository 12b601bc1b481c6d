"""A picture file as brightness: every kind of file and pixel that people have, or the reason why not.

The same for the pictures that one trains on and for those that one asks about.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from mnist_lstm.errors import UserError

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP")
MOST_PIXELS = 100_000_000  # of a picture; checked before they are decoded
LONGEST_SIDE = 2000  # pixels; larger pictures are averaged down by a whole factor
BLACK, WHITE = 0, 255

GreyImage = NDArray[np.uint8]  # (height, width) of any size, 0 for black and 255 for white


class PictureError(UserError):
    """A picture with nothing in it to read; the message is the reason, without the name of the file."""


def decode(content: bytes, paper: int | None = None) -> GreyImage:
    """The brightness of the picture in a file's content, upright as its EXIF orientation says.

    Colours become their luma (ITU-R 601). Pixels of 16 bits or floats span from their darkest to their brightest.

    Args:
        content: the whole file.
        paper: what transparent pixels become; None where it is not known, and follows from the opaque pixels.

    Raises:
        PictureError: if there is no whole picture, more than one, or one too large.
    """
    try:
        with _without_warnings(), Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            _expect_one_of_bearable_size(picture)
            upright = ImageOps.exif_transpose(picture)
            return np.asarray(_averaged(_opaque(upright, paper) if upright.has_transparency_data else _grey(upright)))
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError(f"no picture that can be read ({', '.join(FORMATS)})") from None
    except Image.DecompressionBombError:
        raise PictureError(f"more than {MOST_PIXELS} pixels") from None
    except Exception as error:  # Pillow's readers each have errors of their own for a damaged file
        raise PictureError(f"damaged: {' '.join(str(error).split()) or type(error).__name__}") from None


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Keeps Pillow's warnings, of metadata, to itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _expect_one_of_bearable_size(picture: Image.Image) -> None:
    if picture.width * picture.height > MOST_PIXELS:
        raise PictureError(f"{picture.width} x {picture.height}, more than {MOST_PIXELS} pixels")
    frames = getattr(picture, "n_frames", 1)
    if frames > 1 and picture.format != "MPO":  # of a camera: the photo first, then its previews
        raise PictureError(f"{frames} pictures in one file; save the one that is meant")


def _grey(picture: Image.Image) -> Image.Image:
    """The picture in mode L."""
    if picture.mode.startswith(("I", "F")):
        return _stretched(np.asarray(picture, np.float64))
    return picture.convert("L") if picture.mode in ("1", "L") else picture.convert("RGB").convert("L")


def _stretched(values: NDArray[np.float64]) -> Image.Image:
    if not np.isfinite(values).all():
        raise PictureError("pixels that are no numbers")
    darkest, brightest = values.min(), values.max()
    if darkest == brightest:  # nothing to span
        return Image.new("L", values.shape[::-1], WHITE if brightest > 0 else BLACK)
    return Image.fromarray(np.rint((values - darkest) * (WHITE / (brightest - darkest))).astype(np.uint8))


def _opaque(picture: Image.Image, paper: int | None) -> Image.Image:
    """The picture in mode L with paper where it is transparent."""
    if picture.mode.startswith(("I", "F")):
        return _grey(picture)
    coloured = picture.convert("RGBA")
    grey, alpha = coloured.convert("L"), coloured.getchannel("A")
    if paper is None:
        paper = _likely_paper(np.asarray(grey), np.asarray(alpha) > WHITE // 2)
    return Image.composite(grey, Image.new("L", grey.size, paper), alpha)


def _likely_paper(grey: GreyImage, opaque: NDArray[np.bool_]) -> int:
    """What transparent pixels most likely are.

    Where most of a picture is opaque, paper looks as the opaque pixels mostly do. Else they are the ink, and paper is
    black or white, what is less like them.
    """
    if not opaque.any():
        raise PictureError("blank: every pixel is transparent")
    typical = int(np.median(grey[opaque]))
    if 2 * np.count_nonzero(opaque) >= opaque.size:
        return typical
    return WHITE if typical < WHITE / 2 else BLACK


def _averaged(grey: Image.Image) -> Image.Image:
    return grey.reduce(-(-max(grey.size) // LONGEST_SIDE)) if max(grey.size) > LONGEST_SIDE else grey
