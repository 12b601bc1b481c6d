"""Reading at any place of a file that stays what it was, whatever takes its name later."""

import os
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.errors import UserError

Identity = tuple[int, int]  # size and time of the last change: the same on every machine that shares a disk


class FileReader:
    """Reads an open file at any place; a `core.stored.Read`.

    It keeps the file that it opened, also when another is renamed into its place. To another process it travels as a
    name, and opens there what must still be the same file.

    Args:
        path: to open.
        name: what the file is or will be called; None for its path.
        identity: what the file must be; None for whatever it is.

    Raises:
        UserError: if it is another file, or not there.
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
        """Fills a contiguous buffer from a position on.

        Raises:
            UserError: if the file ends before.
        """
        rest = buffer.reshape(-1).data
        while rest:
            count = os.preadv(self._file, [rest], position)
            if count == 0:
                raise UserError(
                    f"{self.name} ends {len(rest)} bytes early: it was changed while it was read; make it anew."
                )
            rest, position = rest[count:], position + count

    def __reduce__(self) -> tuple[Any, ...]:
        return FileReader, (self.name, None, self._identity)
