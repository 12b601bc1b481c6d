"""Decodes picture files of common formats and pixel types to 8-bit grey.

Training and prediction use the same decoder.
"""

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from mnist_lstm.errors import UserError

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP")
# Files that people take for pictures or data: kind, what to do, and the position and choice of the bytes that tell them
OTHERS = (
    ("a PDF", "save its page as PNG, e.g. `pdftoppm -png FILE.pdf FILE`", 0, (b"%PDF",)),
    ("a HEIC or AVIF photo", "save it as JPEG", 4, (b"ftyphei", b"ftyphev", b"ftypmif1", b"ftypmsf1", b"ftypavi")),
    ("an SVG drawing", "export it as PNG", 0, (b"<svg", b"<?xml")),
    ("an archive", "unpack it", 0, (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")),
    ("an archive", "unpack it", 257, (b"ustar",)),
    ("a pointer of git-lfs", "fetch the file itself by `git lfs pull`", 0, (b"version https://git-lfs",)),
    ("a web page", "download the file again", 0, (b"<!DOCTYPE", b"<!doctype", b"<html", b"<HTML")),
)
MOST_PIXELS = 100_000_000  # per picture; checked before decoding
LONGEST_SIDE = 2000  # pixels; larger pictures are averaged down by an integer factor
BLACK, WHITE = 0, 255
FADING = 32  # grey values between the edges of ink and its inside, from which on the edges fade into the paper

GreyImage = NDArray[np.uint8]  # (height, width) of any size, 0 for black and 255 for white


class PictureError(UserError):
    """A picture that cannot be read; the message is the reason, without the file name."""


def decode(content: bytes, paper: int | None = None) -> GreyImage:
    """The grey values of a picture, uint8 (height, width), rotated by its EXIF orientation.

    Colours become luma (ITU-R 601). 16-bit and float pixels are stretched from their darkest to their brightest value.

    Args:
        content: all bytes of the file.
        paper: grey value for transparent pixels; None to infer it from the opaque pixels.

    Raises:
        PictureError: if the file is damaged, too large, or does not hold exactly one picture.
    """
    try:
        # Pillow warns about metadata
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            _expect_one_of_allowed_size(picture)
            upright = ImageOps.exif_transpose(picture)
            grey = _opaque(upright, paper) if upright.has_transparency_data else _grey(upright)
            return np.asarray(grey.reduce(-(-max(grey.size) // LONGEST_SIDE)))
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError(other_kind(content) or f"no picture that can be read ({', '.join(FORMATS)})") from None
    except Image.DecompressionBombError:
        raise PictureError(f"more than {MOST_PIXELS} pixels") from None
    except Exception as error:  # Pillow's readers raise different errors for damaged files
        raise PictureError(f"damaged: {' '.join(str(error).split()) or type(error).__name__}") from None


def other_kind(content: bytes) -> str | None:
    """The kind of a file that is neither picture nor data, by its first 262 bytes, with what to do; None if unknown."""
    found = (f"{kind}: {todo}" for kind, todo, at, starts in OTHERS if content[at:].startswith(starts))
    return next(found, None)


def _expect_one_of_allowed_size(picture: Image.Image) -> None:
    if picture.width * picture.height > MOST_PIXELS:
        raise PictureError(f"{picture.width} x {picture.height}, more than {MOST_PIXELS} pixels")
    frames = getattr(picture, "n_frames", 1)
    if frames > 1 and picture.format != "MPO":  # MPO files of cameras hold the photo, then previews
        raise PictureError(f"{frames} pictures in one file; save the one to read as its own file")


def _grey(picture: Image.Image) -> Image.Image:
    """The picture in mode L."""
    if picture.mode.startswith(("I", "F")):
        return _stretched(np.asarray(picture, np.float64))
    return picture.convert("L") if picture.mode in ("1", "L") else picture.convert("RGB").convert("L")


def _stretched(values: NDArray[np.float64]) -> Image.Image:
    if not np.isfinite(values).all():
        raise PictureError("pixels that are no numbers")
    darkest, brightest = values.min(), values.max()
    if darkest == brightest:  # nothing to stretch
        return Image.new("L", values.shape[::-1], WHITE if brightest > 0 else BLACK)
    return Image.fromarray(np.rint((values - darkest) * (WHITE / (brightest - darkest))).astype(np.uint8))


def _opaque(picture: Image.Image, paper: int | None) -> Image.Image:
    """The picture in mode L, with paper in place of transparent pixels."""
    if picture.mode.startswith(("I", "F")):
        return _grey(picture)
    coloured = picture.convert("RGBA")
    grey, alpha = coloured.convert("L"), coloured.getchannel("A")
    if paper is None:
        paper = _likely_paper(np.asarray(grey), np.asarray(alpha) > WHITE // 2)
    return Image.composite(grey, Image.new("L", grey.size, paper), alpha)


def _likely_paper(grey: GreyImage, opaque: NDArray[np.bool_]) -> int:
    """The most likely grey value of transparent pixels.

    If most of the picture is opaque, the paper is the median of the opaque pixels next to transparent ones, as those
    far from them may be grey edges of the ink. Otherwise they are the ink, and the paper is black or white: whichever
    its edges fade into, as where one colour of a palette is transparent, or else differs more from the ink.
    """
    from scipy import ndimage

    if not opaque.any():
        raise PictureError("blank: every pixel is transparent")
    near = opaque & ~ndimage.binary_erosion(opaque, border_value=1)  # beyond the picture all is opaque
    typical = int(np.median(grey[opaque]))
    edge, inner = (int(np.median(grey[part])) if part.any() else typical for part in (near, opaque & ~near))
    if 2 * np.count_nonzero(opaque) >= opaque.size:
        return edge
    light = edge > inner if abs(edge - inner) > FADING else typical < WHITE / 2
    return WHITE if light else BLACK
