"""IDX files as tests write them."""

import gzip

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.data.idx import UNSIGNED_BYTE


def encode(array: NDArray[np.uint8]) -> bytes:
    """The gzipped IDX file of `array`; equal arrays give equal bytes."""
    header = bytes([0, 0, UNSIGNED_BYTE, array.ndim]) + np.asarray(array.shape, ">u4").tobytes()
    return gzip.compress(header + array.tobytes(), mtime=0)
