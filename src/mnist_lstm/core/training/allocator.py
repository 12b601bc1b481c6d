"""Settings of the memory allocator during training."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Of mallopt(3)
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
REUSE = {M_MMAP_THRESHOLD: 1 << 30, M_TRIM_THRESHOLD: (1 << 31) - 1, M_TOP_PAD: 1 << 26}
AFTERWARDS = {M_MMAP_THRESHOLD: 1 << 22, M_TRIM_THRESHOLD: 1 << 22, M_TOP_PAD: 1 << 17}  # large buffers are returned


@contextmanager
def reused_buffers() -> Iterator[None]:
    """Makes glibc reuse freed buffers, as each update allocates the same sizes; returns them to the system at the end.

    By default glibc returns large buffers to the kernel at once. With large tensors the resulting page faults cost more
    than the arithmetic. Results are unaffected. Does nothing except on Linux with glibc.

    Source: https://man7.org/linux/man-pages/man3/mallopt.3.html.
    """
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if libc is None or not hasattr(libc, "gnu_get_libc_version"):
        yield
        return
    _set(libc, REUSE)
    try:
        yield
    finally:
        _set(libc, AFTERWARDS)
        libc.malloc_trim(0)


def _set(libc: ctypes.CDLL, options: dict[int, int]) -> None:
    for option, value in options.items():
        libc.mallopt(option, value)
