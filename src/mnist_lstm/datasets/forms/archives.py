"""Zip files that hold data files, as Kaggle and EMNIST give them."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mnist_lstm.datasets.atomic import CANNOT_WRITE
from mnist_lstm.datasets.file_backed import expect_room
from mnist_lstm.datasets.forms.raw import words
from mnist_lstm.errors import UserError
from mnist_lstm.temporary_folder import temporary_folder

SMALL = 2**20  # bytes; such files, as EMNIST's mappings, are unpacked whatever their name


@contextmanager
def unpacked(path: Path, subset: str | None) -> Iterator[Path]:
    """A temporary folder with the files of a zip file; only those that have the word `subset` in their names.

    Raises:
        UserError: if the zip file is damaged or the disk too small.
    """
    with temporary_folder() as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                chosen = [entry for entry in archive.infolist() if _wanted(entry, subset)]
                expect_room(folder, sum(entry.file_size for entry in chosen))
                for entry in chosen:
                    archive.extract(entry, folder)  # in blocks; names cannot leave the folder
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError) as error:
            if isinstance(error, OSError) and error.errno in CANNOT_WRITE:
                raise UserError(f"{folder} must be writable to unpack {path}, found: {error.strerror}.") from None
            raise UserError(f"{path} must be a complete zip file, found: {' '.join(str(error).split())}.") from None
        try:
            yield folder
        except UserError as error:  # of a file in it
            raise UserError(str(error).replace(str(folder), str(path))) from None


def _wanted(entry: zipfile.ZipInfo, subset: str | None) -> bool:
    return not entry.is_dir() and (
        subset is None or subset.lower() in words(Path(entry.filename).name) or entry.file_size < SMALL
    )
