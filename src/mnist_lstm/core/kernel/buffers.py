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
    before, _spare = _spare, defaultdict(list)
    try:
        yield
    finally:
        _spare = before


def buffer(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """A tensor of any values, one that was given back if there is one of this shape and type."""
    spare = _spare
    found = spare[torch.Size(shape), dtype] if spare is not None else []
    return found.pop() if found else torch.empty(shape, dtype=dtype)


def give_back(*buffers: Tensor) -> bool:
    """Keeps what nothing uses any more, and says whether it did."""
    spare = _spare
    if spare is not None:
        for each in buffers:
            spare[each.shape, each.dtype].append(each)
    return spare is not None
