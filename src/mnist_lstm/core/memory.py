"""How this process asks the system for memory."""

import ctypes
import sys

# Of mallopt(3)
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3


def keep_buffers() -> None:
    """Makes glibc keep freed buffers for the next update, which asks for the same sizes again.

    By default it gives large ones back to the kernel, and the page faults that follow cost more than the arithmetic
    once tensors are large. No result changes; on other systems than Linux with glibc nothing happens.

    Source: https://man7.org/linux/man-pages/man3/mallopt.3.html.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "gnu_get_libc_version"):
        libc.mallopt(M_MMAP_THRESHOLD, 1 << 30)
        libc.mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)
        libc.mallopt(M_TOP_PAD, 1 << 26)
