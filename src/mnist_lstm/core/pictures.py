"""A picture file's bytes to grey pixels, with a decision for every kind of picture."""

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.errors import UserError

if TYPE_CHECKING:
    from PIL.Image import Image

OPAQUE = ("1", "L", "P", "RGB")
TRANSPARENT = ("LA", "PA", "RGBA")
SIXTEEN_BITS = ("I;16", "I;16B", "I;16L")


def grey(content: bytes, name: str, dark_on_light: bool, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """The pixels of a picture in any format that Pillow reads, uint8 (height, width).

    Colours become their luma (ITU-R 601-2), 16 bits become the upper 8, what is transparent is paper, and a photo is
    turned as its camera says.

    Args:
        content: the whole file.
        name: what errors call the file.
        dark_on_light: whether ink is dark and paper light; it becomes 255 for ink on 0 either way.
        size: height and width to which the picture is stretched; None leaves it as it is.

    Raises:
        UserError: if it is no whole picture, has several frames or more pixels than Pillow thinks safe, or is of a
            kind not named above.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of metadata
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(content))
            if getattr(opened, "n_frames", 1) > 1:
                raise UserError(f"{name} must be one picture, found {getattr(opened, 'n_frames', 1)} frames.")
            picture = _eight_bits(ImageOps.exif_transpose(opened), name, paper=255 if dark_on_light else 0)
    except UserError:
        raise
    except UnidentifiedImageError:
        raise UserError(f"{name} must be a picture, found no format that Pillow reads.") from None
    except Exception as error:  # each of Pillow's formats has errors of its own
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{name} must be a whole picture, found none that can be read: {reason}.") from None
    if size:
        picture = picture.resize(size[::-1], Image.Resampling.LANCZOS)
    pixels = np.array(picture)
    return 255 - pixels if dark_on_light else pixels


def _eight_bits(picture: "Image", name: str, paper: int) -> "Image":
    from PIL import Image

    if picture.mode in TRANSPARENT or (picture.mode in OPAQUE and "transparency" in picture.info):
        coloured = picture.convert("RGBA")
        ground = Image.new("RGBA", picture.size, (paper, paper, paper, 255))
        return Image.alpha_composite(ground, coloured).convert("L")
    if picture.mode in SIXTEEN_BITS:
        return Image.fromarray((np.array(picture) >> 8).astype(np.uint8))
    if picture.mode not in OPAQUE:
        raise UserError(f"{name} must be grey or coloured in 8 or 16 bits, found Pillow's mode {picture.mode!r}.")
    return picture.convert("L")
