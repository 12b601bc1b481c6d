"""Large buffers that the updates of a training use in turn."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

Kind = tuple[torch.Size, torch.dtype]
_spare: defaultdict[Kind, list[Tensor]] | None = None  # None: nothing is kept


@contextmanager
def kept_buffers() -> Iterator[None]:
    """While this lasts, the gates and states of an update are kept for the next, and its graph cannot be used again.

    Freed instead, each of them leaves a hole in the heap that something small soon divides, and a training of many
    steps grows to several times what it needs.
    """
    global _spare
    _spare = defaultdict(list)
    try:
        yield
    finally:
        _spare = None


def buffer(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """A tensor of any values, one that was given back if there is one of this shape and type."""
    spare = _spare and _spare[torch.Size(shape), dtype]
    return spare.pop() if spare else torch.empty(shape, dtype=dtype)


def give_back(*buffers: Tensor) -> None:
    """Keeps what nothing uses any more."""
    if _spare is not None:
        for each in buffers:
            _spare[each.shape, each.dtype].append(each)
