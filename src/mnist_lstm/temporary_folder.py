"""Temporary folders that do not stay when their process is killed: the next one removes what nobody uses."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NAME, OLD = "mnist_lstm-work-", 60.0  # begins the name; seconds in which the lock of a new folder is certainly set


@contextmanager
def temporary_folder(within: Path | None = None) -> Iterator[Path]:
    """A new folder, deleted at the end; removes those that killed processes have left in the same place.

    Args:
        within: where it is made, hidden; the system's place for temporary files if None.
    """
    place, prefix = within or Path(tempfile.gettempdir()), f".{NAME}" if within else NAME
    for left in place.glob(f"{prefix}*"):
        with suppress(OSError):  # in use, another user's, or removed by another process
            if time.time() - left.stat().st_mtime > OLD:
                with _locked(left):
                    shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=place, prefix=prefix) as folder, _locked(Path(folder)):
        yield Path(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Holds the folder's lock, which the system frees when this process ends, however it does.

    Raises:
        BlockingIOError: if a process has it.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)
