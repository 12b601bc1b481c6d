"""How this process asks the system for memory."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Of mallopt(3)
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
KEEPING = {M_MMAP_THRESHOLD: 1 << 30, M_TRIM_THRESHOLD: (1 << 31) - 1, M_TOP_PAD: 1 << 26}
AFTERWARDS = {M_MMAP_THRESHOLD: 1 << 22, M_TRIM_THRESHOLD: 1 << 22, M_TOP_PAD: 1 << 17}  # what is large goes back


@contextmanager
def reused_buffers() -> Iterator[None]:
    """Makes glibc keep freed buffers for the next update, which asks for the same sizes again; in the end all go back.

    By default it gives large ones back to the kernel, and the page faults that follow cost more than the arithmetic
    once tensors are large. No result changes; on other systems than Linux with glibc nothing happens.

    Source: https://man7.org/linux/man-pages/man3/mallopt.3.html.
    """
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if libc is None or not hasattr(libc, "gnu_get_libc_version"):
        yield
        return
    _set(libc, KEEPING)
    try:
        yield
    finally:
        _set(libc, AFTERWARDS)
        libc.malloc_trim(0)


def _set(libc: ctypes.CDLL, options: dict[int, int]) -> None:
    for option, value in options.items():
        libc.mallopt(option, value)
