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


def of_image(image: NDArray[Any]) -> bytes:
    """An image (height, width) of the data, dark on light; of a series each feature, from its lowest to its highest."""
    if image.dtype.kind == "f":
        low, high = np.nanmin(image, axis=0), np.nanmax(image, axis=0)
        image = np.nan_to_num((image - low) / np.where(high > low, high - low, 1) * 255).astype(np.uint8)
    picture = Image.fromarray(255 - np.asarray(image))
    picture.thumbnail((LONGEST, LONGEST))
    return _png(picture)


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, format="png", optimize=True)
    return file.getvalue()
