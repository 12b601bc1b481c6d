"""Files whose pixels are larger than memory: IDX files, and npz files as numpy writes them."""

import errno
import math
import os
import shutil
import weakref
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from mnist_lstm.core.data import file_backed, idx
from mnist_lstm.core.data.file_backed import FileBackedArray
from mnist_lstm.datasets.atomic import unfinished
from mnist_lstm.errors import UserError

LOCAL_HEADER = 30  # bytes before a member's name in a zip file
PART = 2**22  # bytes read at a time
IMAGES = 1000  # unpacked at a time

Identity = tuple[int, int]  # size and time of the last change: the same on every machine that shares a disk


class FileReader:
    """Reads an open file at any position; a `core.data.file_backed.Read`.

    It reads the file that it opened, also after another file replaced it. In another process, its
    pickled copy opens the file by name and checks that it is the same.

    Args:
        path: the file to open.
        name: the file's final path; None for `path`.
        identity: size and time that the file must have; None for any.

    Raises:
        UserError: if the file is missing or another one.
    """

    def __init__(self, path: Path, name: Path | None = None, identity: Identity | None = None):
        self.name = (name or path).absolute()
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise UserError(f"{path} must be there and on a disk that all processes share, found none.") from None
        weakref.finalize(self, os.close, self._file)
        about = os.fstat(self._file)
        self.bytes, self._identity = about.st_size, (about.st_size, about.st_mtime_ns)
        if identity not in (None, self._identity):
            raise UserError(f"{path} must be the file that this run began with, found another; run again.")

    def __call__(self, position: int, buffer: NDArray[np.uint8]) -> None:
        """Fills a contiguous buffer, starting at a position of the file.

        Raises:
            UserError: if the file ends too early.
        """
        rest = buffer.reshape(-1).data
        while rest:
            count = os.preadv(self._file, [rest], position)
            if count == 0:
                raise UserError(
                    f"{self.name} ends {len(rest)} bytes early: it was changed while it was read; make it again."
                )
            rest, position = rest[count:], position + count

    def __reduce__(self) -> tuple[Any, ...]:
        return FileReader, (self.name, None, self._identity)


def array_in(path: Path) -> Any:
    """The array in an IDX file. Images larger than memory stay in it, or unpacked in its folder if it is gzipped.

    Raises:
        UserError: if the file is damaged, or the disk is too small to unpack it.
    """
    with path.open("rb") as file:
        shape = idx.shape_in(file, str(path))
        file.seek(0)
        if len(shape) != 3 or math.prod(shape) <= file_backed.IN_MEMORY:
            return idx.decode(file.read(), str(path))
        start = idx.values_at(file, str(path), path.stat().st_size)
        if start is not None:
            return FileBackedArray(FileReader(path), start, shape)
        file.seek(0)
        return FileBackedArray(_unpacked(file, path, math.prod(shape)), 0, shape)


def _unpacked(file: BinaryIO, path: Path, size: int) -> FileReader:
    """The images of a gzipped file, in an unlinked file that the system deletes after its last reader."""
    place = unfinished(path)
    try:
        with place.open("wb") as unpacked:
            for images in idx.images_in(file, str(path), IMAGES):
                if not unpacked.tell():  # the header is valid so far
                    expect_room(path.parent, size)
                unpacked.write(images.data)
        return FileReader(place, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(f"{path.parent} must have {size} bytes free to unpack {path.name}; make room.") from None
        raise
    finally:
        place.unlink()


def write(path: Path, arrays: dict[str, file_backed.Array]) -> None:
    """Writes the same bytes as `numpy.savez`, in blocks.

    Raises:
        UserError: if the disk is too small.
    """
    expect_room(path.parent, sum(array.nbytes for array in arrays.values()))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                if not isinstance(array, FileBackedArray):
                    npy.write_array(member, array, allow_pickle=False)
                    continue
                npy.write_array_header_1_0(
                    member, {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
                )
                for block in file_backed.blocks(array):
                    member.write(block.data)


def large_members(path: Path) -> dict[str, FileBackedArray]:
    """The arrays of pixels in an npz file that are larger than memory, after a check of every byte.

    Raises:
        zipfile.BadZipFile: if a member is damaged.
    """
    with zipfile.ZipFile(path) as archive:
        large = [entry for entry in archive.infolist() if entry.file_size > file_backed.IN_MEMORY]
        for entry in large:
            with archive.open(entry) as member:
                while member.read(PART):  # the CRC is compared at the end
                    pass
    return members(path, [entry.filename.removesuffix(".npy") for entry in large], path) if large else {}


def members(path: Path, names: Iterable[str], place: Path) -> dict[str, FileBackedArray]:
    """The named arrays of an npz file that hold pixels, neither read nor checked. `place` is the file's final path."""
    read = FileReader(path, place)
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        found = {name: _member(read, file, archive.getinfo(f"{name}.npy")) for name in names}
    return {name: array for name, array in found.items() if array is not None}


def _member(read: FileReader, file: BinaryIO, entry: zipfile.ZipInfo) -> FileBackedArray | None:
    """The array of an uncompressed member of uint8 (N, ...) in C order, two axes or more; None for others."""
    file.seek(entry.header_offset)
    lengths = np.frombuffer(file.read(LOCAL_HEADER)[26:30], "<u2")  # of the name and the extra field
    start = entry.header_offset + LOCAL_HEADER + int(lengths.sum())
    file.seek(start)
    if entry.compress_type != zipfile.ZIP_STORED or npy.read_magic(file) != (1, 0):
        return None
    shape, fortran, dtype = npy.read_array_header_1_0(file)
    complete = file.tell() + math.prod(shape) == start + entry.file_size
    fits = complete and dtype == np.uint8 and not fortran and shape[1:]
    return FileBackedArray(read, file.tell(), shape) if fits else None


def expect_room(folder: Path, size: int) -> None:
    """Checks that a disk has room for a large file."""
    free = shutil.disk_usage(folder).free
    if free < size:
        raise UserError(
            f"{folder} must have {size / 2**30:.1f} GiB free for pixels that are larger than memory, found "
            f"{free / 2**30:.1f}; make room."
        )
