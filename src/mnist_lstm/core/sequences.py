"""An image as a sequence: which pixels are read at each time step."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.splits import Arrays
from mnist_lstm.errors import UserError


def rows(height: int, width: int) -> NDArray[np.int64]:
    """From the top: one row a step, T = height and F = width."""
    return np.arange(height * width).reshape(height, width)


def columns(height: int, width: int) -> NDArray[np.int64]:
    """From the left: one column a step, T = width and F = height."""
    return rows(height, width).T


# A view is the position in the flattened image of each feature of each step, (T, F).
VIEWS: dict[str, Callable[[int, int], NDArray[np.int64]]] = {"rows": rows, "columns": columns}

STEPS = {"rows": "row", "columns": "column"}  # what a view reads at a time step, where that has a name


def step_word(view: str) -> str:
    """What one reads at a time step of `view`: "row", "column" or else "time step"."""
    return STEPS.get(view, "time step")


def pixel_order(view: str, height: int, width: int) -> NDArray[np.int64]:
    """The pixels that `view` reads, as positions in the flattened image, (T, F)."""
    return np.ascontiguousarray(VIEWS[view](height, width))


def to_sequences(images: NDArray[Any], order: NDArray[np.int64]) -> NDArray[Any]:
    """The images, (N, height, width) or (N, height * width), as sequences (N, T, F) of the same dtype.

    Raises:
        UserError: if an image has not the pixels that `order` reads.
    """
    pixels = images.reshape(len(images), -1)
    if pixels.shape[1] != order.max() + 1:
        raise UserError(f"an image must have {order.max() + 1} pixels for this view, found shape {images.shape}.")
    return np.take(pixels, order, axis=1)


def sequence_split(part: Arrays, order: NDArray[np.int64]) -> Arrays:
    """A split's images and labels as "sequences", (N, T, F), "labels" and the "order" in which pixels are read."""
    return {"sequences": to_sequences(part["images"], order), "labels": part["labels"], "order": order}


def to_images(sequences: NDArray[Any], order: NDArray[np.int64], height: int, width: int) -> NDArray[Any]:
    """The images (N, height, width) that `to_sequences` read as `sequences`: its inverse."""
    pixels = np.empty((len(sequences), height * width), sequences.dtype)
    pixels[:, order.ravel()] = sequences.reshape(len(sequences), -1)
    return pixels.reshape(-1, height, width)
