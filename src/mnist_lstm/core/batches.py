"""Which images each update reads."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def batches(total: int, batch_size: int, seed: int, start: int = 0) -> Iterator[NDArray[np.int64]]:
    """Positions of the images of update `start`, `start` + 1, and so on without end, each (batch_size,).

    Every epoch is a new permutation, and a batch runs on across the end of one, as TensorFlow's `next_batch` did.
    The batch of an update follows from `seed` and its number alone, so a resumed run needs no state for it.
    """
    epoch, offset = divmod(start * batch_size, total)
    ahead = _permutation(total, seed, epoch)[offset:]
    while True:
        while len(ahead) < batch_size:
            epoch += 1
            ahead = np.concatenate([ahead, _permutation(total, seed, epoch)])
        yield ahead[:batch_size]
        ahead = ahead[batch_size:]


def _permutation(total: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, epoch]).permutation(total)
