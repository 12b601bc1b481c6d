"""Pixels that stay in a file because they are larger than memory: read a slice, a batch or a block at a time."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

IN_MEMORY = 2**30  # bytes; what is larger stays in its file
BLOCK = 2**22  # bytes that are read at a time

# Fills a buffer with the bytes of a file from a position on, or raises a UserError where it ends before
Read = Callable[[int, NDArray[np.uint8]], None]


class FileBackedArray:
    """An array of uint8 (N, ...) in a file. It reads as numpy's by a slice, a position or positions of the first axis.

    Every read is an array of its own, so the memory in use is that of what is held. Nothing is ever mapped.

    Args:
        read: of the file.
        position: of the first byte in it.
        shape: (N, ...); the bytes lie in C order.
        order: of the pixels that an element is read in, as `sequences.PixelOrder`; None for as they lie.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, read: Read, position: int, shape: tuple[int, ...], order: NDArray[np.int64] | None = None):
        self._read, self._position, self._lies, self._order = read, position, shape, order
        self.shape = shape if order is None else (shape[0], *order.shape)
        self.ndim, self.size = len(self.shape), math.prod(self.shape)
        self.nbytes = self.size

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError(f"an array {self.shape} that is larger than memory must be read in parts")

    def __getitem__(self, key: Any) -> NDArray[np.uint8]:
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step != 1:
                raise IndexError(f"a slice of a stored array must have step 1, found {step}")
            buffer = np.empty((max(stop - start, 0), *self._lies[1:]), np.uint8)
            return self._in_order(self._filled(start, buffer))
        if isinstance(key, int | np.integer):
            return self._gathered(np.array([key]))[0]  # type: ignore[no-any-return]
        return self._gathered(np.asarray(key))

    def copy(self) -> "FileBackedArray":
        """Itself, as each read is a copy."""
        return self

    def part(self, start: int, stop: int) -> "FileBackedArray":
        """The elements from `start` up to `stop`, unread."""
        position = self._position + start * math.prod(self._lies[1:])
        return FileBackedArray(self._read, position, (stop - start, *self._lies[1:]), self._order)

    def ordered(self, order: NDArray[np.int64]) -> "FileBackedArray":
        """The same elements, each read by an order of its pixels."""
        return FileBackedArray(self._read, self._position, self._lies, order)

    def _gathered(self, positions: NDArray[np.integer]) -> NDArray[np.uint8]:
        """The elements at (n,) positions, read in the order in which they lie."""
        if positions.ndim != 1 or positions.dtype.kind not in "iu":
            raise IndexError(f"positions in a stored array must be integers (n,), found {positions!r}")
        if len(positions) and not -len(self) <= positions.min() <= positions.max() < len(self):
            raise IndexError(f"positions must be below {len(self)}, found {positions.min()} to {positions.max()}")
        found = np.empty((len(positions), *self._lies[1:]), np.uint8)
        for place in np.argsort(positions, kind="stable"):
            self._filled(int(positions[place]) % len(self), found[place])
        return self._in_order(found)

    def _filled(self, start: int, buffer: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if buffer.size:
            self._read(self._position + start * math.prod(self._lies[1:]), buffer)
        return buffer

    def _in_order(self, elements: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self._order is None:
            return elements
        return np.take(elements.reshape(len(elements), math.prod(self._lies[1:])), self._order, axis=1)


Array = NDArray[Any] | FileBackedArray


def after(array: Array, count: int) -> Array:
    """All but the first `count` elements; of a stored array unread, unless they fit into memory."""
    return held(array.part(count, len(array))) if isinstance(array, FileBackedArray) else array[count:]


def before(array: Array, count: int) -> Array:
    """The first `count` elements, which do not keep the others in memory."""
    return held(array.part(0, count)) if isinstance(array, FileBackedArray) else array[:count].copy()


def held(array: FileBackedArray) -> Array:
    """The array in memory, unless it is larger."""
    return array[:] if array.nbytes <= IN_MEMORY else array


def blocks(array: Array) -> Iterator[NDArray[Any]]:
    """The array in contiguous parts, of about `BLOCK` bytes where it is stored."""
    if not isinstance(array, FileBackedArray):
        yield np.ascontiguousarray(array)
        return
    count = max(1, BLOCK * len(array) // max(array.nbytes, 1))
    for start in range(0, len(array), count):
        yield array[start : start + count]
