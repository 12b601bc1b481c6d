"""The numerics of training: number of threads, and bfloat16 in the recurrent layer where there is hardware for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from mnist_lstm.core.models import RecurrentClassifier
from mnist_lstm.errors import UserError


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Exactly `count` threads for torch on the CPU: the count decides the last bits of every sum."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def chosen_precision(asked: str, device: torch.device) -> str:
    """The precision for `training.precision`: as asked, and for "auto" bfloat16 where `device` multiplies in it.

    Raises:
        UserError: if bfloat16 is asked for and the device does not; torch's LSTM refuses then, or is slower than in
            float32.
    """
    if asked == "auto":
        return "bfloat16" if _multiplies_bfloat16(device) else "float32"
    if asked == "bfloat16" and not _multiplies_bfloat16(device):
        raise UserError(
            "training.precision 'bfloat16' needs a processor with AVX-512 BF16 or AMX, or a graphics card with "
            f"bfloat16, found none on {device.type!r}; set auto or float32."
        )
    return asked


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # What torch makes public of this, torch.cpu.get_capabilities, came after 2.10
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


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
