"""The numerics of training: number of threads, and bfloat16 in the recurrent layer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from mnist_lstm.core.models import RecurrentClassifier


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Exactly `count` threads for torch on the CPU: the count decides the last bits of every sum."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def recurrent_precision(classifier: RecurrentClassifier, precision: str, device: torch.device) -> Iterator[None]:
    """Lets the recurrent layer compute in `precision` while the classifier is in training mode.

    Weights, readout, loss and optimiser stay float32, and so does all of evaluation.
    """
    if precision == "float32":
        yield
        return
    recurrent = classifier.recurrent
    forward = recurrent.forward

    def mixed(*inputs: Any) -> Any:
        with torch.autocast(device.type, getattr(torch, precision), enabled=classifier.training):
            return forward(*inputs)

    recurrent.forward = mixed  # around the layer alone, which has no place of its own
    try:
        yield
    finally:
        del recurrent.forward
