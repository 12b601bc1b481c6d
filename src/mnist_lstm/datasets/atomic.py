"""Atomic writes: a temporary file in the same folder, flushed to the disk, then renamed."""

import errno
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mnist_lstm.errors import UserError

UNFINISHED, OLD = ".unfinished-", 3600.0  # begins a temporary file's name; seconds until it counts as left by a kill
# Causes that the user can remove: no space, no permission, a read-only disk, a quota, `ulimit -f`
CANNOT_WRITE = (errno.ENOSPC, errno.EACCES, errno.EPERM, errno.EROFS, errno.EDQUOT, errno.EFBIG)


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """A temporary file to write, with the suffix of `path`. At the end it replaces `path`.

    After an error `path` is as before.

    Raises:
        UserError: if the disk is full, the folder is not writable, or `path` is a folder or a device.
    """
    temporary = None
    of_process = path.is_symlink() and Path(os.readlink(path)).is_relative_to("/proc")  # as /dev/stdout into a file
    if path.exists() and (of_process or not path.is_file()):  # a rename would replace even a device
        raise UserError(f"{path} must be a file or free, found a folder or a device; choose another name.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = unfinished(path)
        yield temporary
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
    """Writes `content` to `path`. After a crash at any moment, `path` is the complete old file or the new one."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(content)


def unfinished(path: Path) -> Path:
    """A new temporary file next to `path`; removes those that killed processes have left there."""
    for left in path.parent.glob(f"{UNFINISHED}*"):
        with suppress(FileNotFoundError):  # another process removes or renames it
            if time.time() - left.stat().st_mtime > OLD:
                left.unlink()
    new = path.with_name(f"{UNFINISHED}{path.stem}-{secrets.token_hex(4)}{path.suffix}")
    new.touch(exist_ok=False)
    return new


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
