"""Reads IDX files, and checks every field of the header."""

import io
import math
import zlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.errors import UserError

UNSIGNED_BYTE = 0x08
TYPES = {UNSIGNED_BYTE: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
BYTES, AXES = {UNSIGNED_BYTE: "u1"}, (1, 3)  # of MNIST's own files
GZIP_MAGIC = b"\x1f\x8b"
MAX_BYTES = 2**30  # larger declared sizes count as damage, except when the file is streamed
PACKED = 1032  # highest compression ratio of deflate: https://zlib.net/zlib_tech.html
READ = 2**16  # bytes of a gzip file to decompress at a time


def decode(content: bytes, name: str, types: Mapping[int, str] = BYTES, axes: Collection[int] = AXES) -> NDArray[Any]:
    """The array in an IDX file, gzipped or plain.

    Args:
        types: numpy's types of the allowed type codes.
        axes: allowed numbers of axes.

    Returns:
        Images (N, height, width) or labels (N,), depending on the header.

    Raises:
        UserError: if the content is not exactly one IDX array of an allowed type.

    Source: the format description at http://yann.lecun.com/exdb/mnist/.
    """
    reader = _Reader(io.BytesIO(content), name)
    kind, shape = _header(reader, types, axes)
    dtype = np.dtype(types[kind])
    if math.prod(max(side, 1) for side in shape) * dtype.itemsize > MAX_BYTES:
        raise UserError(f"{name} declares the shape {shape}, more than {MAX_BYTES} bytes; it is damaged.")
    values = reader.take(math.prod(shape) * dtype.itemsize)
    reader.expect_end()
    return np.frombuffer(values, dtype).reshape(shape)


def magic_in(head: bytes) -> bytes:
    """The first 4 bytes of a file, after decompression; fewer if it is no file in gzip after all."""
    if head[:2] != GZIP_MAGIC:
        return head[:4]
    try:
        return zlib.decompressobj(wbits=31).decompress(head, 4)
    except zlib.error:
        return b""


def kind_in(file: BinaryIO, name: str) -> tuple[int, int]:
    """The type code and the number of axes in the header of an IDX file."""
    magic = _Reader(file, name).take(4)
    return magic[2], magic[3]


def shape_in(file: BinaryIO, name: str) -> tuple[int, ...]:
    """The shape that the header of an IDX file declares.

    Raises:
        UserError: if the header is not that of images or labels.
    """
    return _header(_Reader(file, name))[1]


def values_at(file: BinaryIO, name: str, size: int) -> int | None:
    """Byte offset of the values in a plain IDX file of `size` bytes; None for a gzipped file.

    Raises:
        UserError: if the size of a plain file differs from its header, or a gzipped file is too small for its header.
    """
    reader = _Reader(file, name)
    shape = _header(reader)[1]
    if reader.zipped:
        if math.prod(shape) > PACKED * size:
            raise UserError(f"{name} declares the shape {shape}, more than {size} bytes can hold; it is damaged.")
        return None
    start = 4 + 4 * len(shape)
    if (early := start + math.prod(shape) - size) > 0:
        raise UserError(f"{name} ends {early} bytes early; get it anew.")
    if early < 0:
        raise UserError(f"{name} holds more bytes than its header declares; get it anew.")
    return start


def images_in(file: BinaryIO, name: str, count: int) -> Iterator[NDArray[np.uint8]]:
    """Yields the images of an IDX file of any length, up to `count` at a time, (n, height, width).

    Raises:
        UserError: if the file is not exactly one IDX array of images; images before the damage are yielded first.
    """
    reader = _Reader(file, name)
    shape = _header(reader)[1]
    if len(shape) != 3 or not 0 < math.prod(shape[1:]) <= MAX_BYTES // count:
        raise UserError(f"{name} must hold images (N, height, width), found the shape {shape}.")
    images, *size = shape
    for start in range(0, images, count):
        part = min(count, images - start)
        yield np.frombuffer(reader.take(part * math.prod(size)), np.uint8).reshape(part, *size)
    reader.expect_end()


def _header(
    reader: "_Reader", types: Mapping[int, str] = BYTES, axes: Collection[int] = AXES
) -> tuple[int, tuple[int, ...]]:
    """Type code and shape."""
    zero, kind, dimensions = int.from_bytes(magic := reader.take(4), "big") >> 16, magic[2], magic[3]
    if zero != 0 or kind not in types or dimensions not in axes:
        kinds, sizes = (" or ".join(f"{each:02x}" for each in allowed) for allowed in (types, axes))
        raise UserError(
            f"{reader.name} must be an IDX file of the dimensions needed here (it starts with 00 00, type {kinds}, and "
            f"{sizes}), found {magic.hex(' ')}; get it anew."
        )
    return kind, tuple(np.frombuffer(reader.take(4 * dimensions), ">u4").tolist())


class _Reader:
    """Reads from a plain or gzipped file and never decompresses more than requested."""

    def __init__(self, file: BinaryIO, name: str):
        self.name, self._file = name, file
        self.zipped = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        file.seek(0)
        self._unpacker = zlib.decompressobj(wbits=31) if self.zipped else None
        self._packed = b""

    def take(self, size: int) -> bytearray:
        """The next `size` bytes, writable, so that torch can use an array on them without a copy."""
        taken = self._unpacked(size) if self._unpacker else bytearray(self._file.read(size))
        if len(taken) < size:
            raise UserError(f"{self.name} ends {size - len(taken)} bytes early; get it anew.")
        return taken

    def _unpacked(self, size: int) -> bytearray:
        assert self._unpacker is not None  # noqa: S101  narrows the type
        parts, missing = [], size
        try:
            while missing and not self._unpacker.eof:
                self._packed = self._packed or self._file.read(READ)
                part = self._unpacker.decompress(self._packed, missing)
                if not part and not self._packed:
                    break
                self._packed = self._unpacker.unconsumed_tail
                parts.append(part)
                missing -= len(part)
        except zlib.error as error:
            raise UserError(f"{self.name} is not a complete gzip file ({error}); get it anew.") from None
        return bytearray().join(parts)

    def expect_end(self) -> None:
        if self._unpacker is None:
            more = bool(self._file.read(1))
        else:
            more = bool(self._unpacked(1)) or bool(self._unpacker.unused_data or self._file.read(1))
            if not more and not self._unpacker.eof:
                raise UserError(f"{self.name} is a gzip file cut short; get it anew.")
        if more:
            raise UserError(f"{self.name} holds more bytes than its header declares; get it anew.")
