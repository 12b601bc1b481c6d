"""The images of each update."""

from collections.abc import Iterator
from itertools import count

import numpy as np
from numpy.typing import NDArray

WINDOW = 16  # blocks that are shuffled together
BLOCKS = 3  # separates the random streams of blocks and windows from that of full permutations

Positions = NDArray[np.int64]


def batches(total: int, batch_size: int, seed: int, start: int = 0, block: int | None = None) -> Iterator[Positions]:
    """Yields image indices (batch_size,) for update `start`, `start` + 1, and so on, without end.

    Each epoch is a new permutation, and a batch may span two epochs, as in TensorFlow's `next_batch`.
    The batch of an update depends only on `seed` and the update, so a resumed run needs no state for it.

    Args:
        start: the first update, from 0.
        block: None to shuffle all images; otherwise the number of adjacent images in a block. Each epoch then visits
            the blocks in a new order and shuffles the images of `WINDOW` blocks at a time.
    """
    first_epoch, offset = divmod(start * batch_size, total)
    parts = _parts(total, seed, first_epoch, offset, block or total)
    ahead = np.empty(0, np.int64)
    while True:
        while len(ahead) < batch_size:
            ahead = np.concatenate([ahead, next(parts)])
        yield ahead[:batch_size]
        ahead = ahead[batch_size:]


def _parts(total: int, seed: int, first_epoch: int, offset: int, block: int) -> Iterator[Positions]:
    """Yields the permutations from `first_epoch` on in parts, without the first `offset` images."""
    for epoch in count(first_epoch):
        if block >= total:
            yield np.random.default_rng([seed, epoch]).permutation(total)[offset:]
            offset = 0
            continue
        for window, blocks in enumerate(_windows(total, seed, epoch, block)):
            images = sum(len(each) for each in blocks)
            if offset < images:
                random = np.random.default_rng([seed, epoch, window + 1, BLOCKS])
                yield random.permutation(np.concatenate(blocks))[offset:]
            offset = max(0, offset - images)


def _windows(total: int, seed: int, epoch: int, block: int) -> Iterator[list[range]]:
    """Yields the shuffled blocks of an epoch, `WINDOW` at a time; the last block of the images may be shorter."""
    order = np.random.default_rng([seed, epoch, 0, BLOCKS]).permutation(-(-total // block)).tolist()
    for first in range(0, len(order), WINDOW):
        yield [range(each * block, min((each + 1) * block, total)) for each in order[first : first + WINDOW]]
