"""Figures and images as small PNG files, to stand in a page."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

DPI = 130  # as the catalog's figures have
COLOURS = 64  # of a figure
LONGEST = 64  # pixels of an image's side; larger ones are made smaller


def of_figure(figure: Any) -> bytes:
    """A matplotlib figure."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DPI)
    return with_fewer_colours(file.getvalue())


def with_fewer_colours(png: bytes) -> bytes:
    """The figure with a palette, in about half of the bytes."""
    return _png(Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE))


def of_image(image: NDArray[np.uint8]) -> bytes:
    """An image (height, width) of the data, dark on light."""
    picture = Image.fromarray(255 - np.asarray(image))
    picture.thumbnail((LONGEST, LONGEST))
    return _png(picture)


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, format="png", optimize=True)
    return file.getvalue()
