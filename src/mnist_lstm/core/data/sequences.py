"""Image views: which pixels the network reads at each time step."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.data.data_card import Word
from mnist_lstm.core.data.file_backed import Array, FileBackedArray
from mnist_lstm.core.data.splits import ImageSplit
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import SequenceParameters

PixelOrder = NDArray[np.int64]  # (T, F), the index in the flattened image of each feature at each step


@dataclass(frozen=True, eq=False)
class SequenceSplit:
    """Sequences of one split with their labels."""

    sequences: Any  # uint8 (N, T, F); a `FileBackedArray` if larger than memory. Of series float32, nan after their end
    labels: NDArray[np.uint8]  # uint8 (N,), below K
    pixel_order: PixelOrder  # int64 (T, F), the index in the flattened image of each feature at each step

    def __len__(self) -> int:
        return len(self.labels)

    def arrays(self) -> dict[str, Array]:
        """The arrays under their names in files and digests."""
        return {"sequences": self.sequences, "labels": self.labels, "order": self.pixel_order}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> "SequenceSplit":
        """The inverse of `arrays`."""
        return cls(arrays["sequences"], arrays["labels"], arrays["order"])

    def writable(self) -> "SequenceSplit":
        """A copy with writable arrays, which torch requires; arrays shared by Ray are read-only."""
        return SequenceSplit(self.sequences.copy(), self.labels.copy(), self.pixel_order.copy())


def rows_and_columns(image: PixelOrder, _: SequenceParameters) -> PixelOrder:
    """Row t and column t at step t: T = max(height, width), F = width + height.

    If an image is not square, the last line of the shorter side repeats until the longer side ends.
    """
    steps = np.arange(max(image.shape))
    return np.concatenate([each[np.minimum(steps, len(each) - 1)] for each in (image, image.T)], axis=1)


def patches(image: PixelOrder, sequence: SequenceParameters) -> PixelOrder:
    """Squares with sides of patch_size pixels, in reading order; the last of a line is shifted inward to fit.

    Raises:
        UserError: if a patch is larger than the image.
    """
    size, (height, width) = sequence.patch_size, image.shape
    if size > min(height, width):
        raise UserError(
            f"parameter 'sequence.patch_size' must be at most {min(height, width)} for images of {height} x {width} "
            f"pixels, not {size}."
        )
    corners = [np.minimum(np.arange(0, side, size), side - size) for side in (height, width)]
    return np.stack([image[y : y + size, x : x + size].ravel() for y in corners[0] for x in corners[1]])


def permuted_pixels(image: PixelOrder, sequence: SequenceParameters) -> PixelOrder:
    """One pixel per step in an order drawn from permutation_seed: T = height * width, F = 1.

    A checkpoint stores only the seed, so the draw uses RandomState: NumPy guarantees that its stream never changes.

    Source: Le et al. 2015, arXiv:1504.00941.
    """
    return np.random.RandomState(sequence.permutation_seed).permutation(image.size).astype(np.int64)[:, None]


# Each maps the indices of an image's pixels (height, width) to the pixel order (T, F)
VIEWS: dict[str, Callable[[PixelOrder, SequenceParameters], PixelOrder]] = {
    "rows": lambda image, _: image,  # one row per step, top to bottom: T = height, F = width
    "columns": lambda image, _: image.T,  # one column per step, left to right: T = width, F = height
    "rows_reversed": lambda image, _: image[::-1],  # one row per step, bottom to top: T = height, F = width
    "rows_and_columns": rows_and_columns,
    "patches": patches,
    "pixels": lambda image, _: image.reshape(-1, 1),  # one pixel per step, row by row: T = height * width, F = 1
    "permuted_pixels": permuted_pixels,
}

# Views whose step number identifies a part of the image
STEPS = {
    "rows": Word("row", "rows"),
    "columns": Word("column", "columns"),
    "patches": Word("patch", "patches"),
    "pixels": Word("pixel", "pixels"),
}


def step_word(view: str) -> Word:
    """The unit read at a time step of `view`: "row", "column", "patch", "pixel", or "time step" for other views."""
    return STEPS.get(view, Word("time step", "time steps"))


def pixel_order_for(sequence: SequenceParameters, height: int, width: int) -> PixelOrder:
    """The pixel order of a view: indices into the flattened image, (T, F).

    Raises:
        UserError: if the view does not fit images of this size.
    """
    image = np.arange(height * width).reshape(height, width)
    return np.ascontiguousarray(VIEWS[sequence.view](image, sequence))


def to_sequences(images: Array, pixel_order: PixelOrder) -> Any:
    """Images (N, height, width) or (N, height * width) as sequences (N, T, F) of the same dtype.

    File-backed images stay in their file and are reordered at each read. Views in memory order, such as `rows` and
    `pixels`, share the memory of the images; other views copy it.

    Raises:
        UserError: if the number of pixels differs from that of `pixel_order`.
    """
    pixels = math.prod(images.shape[1:])
    if pixels != pixel_order.max() + 1:
        raise UserError(f"an image must have {pixel_order.max() + 1} pixels for this view, found shape {images.shape}.")
    if isinstance(images, FileBackedArray):
        return images.ordered(pixel_order)
    if np.array_equal(pixel_order.ravel(), np.arange(pixels)):
        return images.reshape(len(images), *pixel_order.shape)
    return np.take(images.reshape(len(images), pixels), pixel_order, axis=1)


def sequence_split(part: ImageSplit, pixel_order: PixelOrder) -> SequenceSplit:
    """The split as sequences in this pixel order, (T, F)."""
    return SequenceSplit(to_sequences(part.images, pixel_order), part.labels, pixel_order)


def expect_view(part: SequenceSplit, sequence: SequenceParameters, height: int, width: int) -> None:
    """Checks that the sequences come from this view of images of this size."""
    if not np.array_equal(part.pixel_order, pixel_order_for(sequence, height, width)):
        raise UserError(
            f"the sequences must be read by the view {sequence.view!r} of the parameters, found those of another; make "
            "them again: `kedro run --from-nodes reshape`."
        )


def to_images(sequences: NDArray[Any], pixel_order: PixelOrder, height: int, width: int) -> NDArray[Any]:
    """The inverse of `to_sequences`: images (N, height, width)."""
    flat = np.empty((len(sequences), height * width), sequences.dtype)
    flat[:, pixel_order.ravel()] = sequences.reshape(len(sequences), pixel_order.size)
    return flat.reshape(len(sequences), height, width)
