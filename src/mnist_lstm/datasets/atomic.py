"""Files that are whole or absent: written beside their place, flushed to the disk, then renamed into it."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import DatasetError

from mnist_lstm.errors import UserError, cause_for_user

# What the user can mend: no space, no right, a disk that is read-only, a quota
CANNOT_WRITE = (errno.ENOSPC, errno.EACCES, errno.EPERM, errno.EROFS, errno.EDQUOT)


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """A temporary file to write, which becomes `path` at the end, or leaves it as it was after an error.

    It keeps the suffix of `path`, for writers that choose their format by it.

    Raises:
        UserError: if the disk is full or the folder is not to be written to.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
        _flush(temporary)
        os.replace(temporary, path)
        _flush(path.parent)
    except OSError as error:
        if error.errno in CANNOT_WRITE:
            raise UserError(
                f"{path} must be writable, found: {os.strerror(error.errno)}; mend that and run again. "
                "What stood there before is untouched."
            ) from error
        raise
    finally:
        if temporary:
            temporary.unlink(missing_ok=True)


def atomic_write(path: Path, content: bytes) -> None:
    """Writes `content` to `path`: after a crash at any moment the old file stands there or the new one."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(content)


class Whole:
    """Put before a Kedro dataset of one file: it writes whole, and in a run it loads what this run saved.

    So two runs in one project never mix: each goes on with its own results, and the file holds the last one's.
    """

    _filepath: PurePosixPath
    _protocol: str
    kind = "file"  # what errors call it
    copies: Path | None = None  # a folder for a copy of exactly what this run writes, where another might write too

    def save(self, data: Any) -> None:
        """Writes the file whole; a remote store does so by itself."""
        kept = data
        if self._protocol == "file":
            place = self._filepath
            try:
                with atomic_file(Path(place)) as temporary:
                    self._filepath = PurePosixPath(temporary)
                    try:
                        super().save(data)  # type: ignore[misc]
                    except DatasetError as error:
                        raise DatasetError(str(error).replace(str(temporary), str(place))) from error
                    if hasattr(self, "_kept"):  # what to load in this run, of a file written and where it is to be
                        kept = self._kept(data, Path(temporary), Path(place))
                    if self.copies:
                        shutil.copyfile(temporary, self.copies / place.name)
            finally:
                self._filepath = place
        else:
            super().save(data)  # type: ignore[misc]
        self._saved = kept

    def load(self) -> Any:
        """What this run saved, or the file's content."""
        if hasattr(self, "_saved"):
            return self._saved
        try:
            return super().load()  # type: ignore[misc]
        except DatasetError as error:
            if cause_for_user(error):
                raise
            cause = error.__cause__ or error
            reason = cause.strerror if isinstance(cause, OSError) else " ".join(str(cause).split())
            raise UserError(
                f"{self._filepath} must be a whole {self.kind}, found {reason or type(cause).__name__}; "
                "delete it and run `kedro run` again."
            ) from error

    def _release(self) -> None:
        with suppress(AttributeError):
            del self._saved
        super()._release()  # type: ignore[misc]


def _umask() -> int:
    """The process's mask for new files, which mkstemp does not follow."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
