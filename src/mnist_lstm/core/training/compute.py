"""Device, precision, threads and random state of training."""

import ctypes
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mnist_lstm.core.kernel.layers import dropout, linear, recurrent
from mnist_lstm.core.kernel.library import has_bfloat16, library
from mnist_lstm.core.model.classifier import RecurrentClassifier, SeriesClassifier
from mnist_lstm.core.training.instructions import multiplies_bfloat16, onednn_instructions
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import BY_KERNEL, ModelParameters, TrainingParameters, kernel_needs

logger = logging.getLogger(__name__)


def chosen_device(requested: str) -> torch.device:
    """The device for `training.device`: "cpu", "cuda", or "auto", which prefers cuda.

    Raises:
        UserError: if cuda is requested and not available.
    """
    found = torch.cuda.is_available()
    if requested == "cuda" and not found:
        raise UserError("training.device 'cuda' needs a CUDA device that torch can use, found none; set auto or cpu.")
    return torch.device("cuda" if found and requested != "cpu" else "cpu")


def random_numbers(device: torch.device) -> Any:
    """The module that gets and sets the state, on the CPU, of the generator that dropout uses on `device`."""
    return torch if device.type == "cpu" else torch.cuda


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Makes torch use exactly `count` CPU threads, because the count changes the rounding of sums."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def expect_threads(count: int) -> None:
    """Checks before training that OpenMP starts `count` threads for a parallel region.

    With fewer, `nn.LSTM` in float32 computes wrong gradients (torch 2.13), and other results get other last bits.

    Source: OpenMP specification 5.2, section 10.1.1, "Determining the Number of Threads for a parallel Region".
    """
    libraries = [*(Path(torch.__file__).parent / "lib").glob("libtorch_cpu.*")]
    openmp = ctypes.CDLL(str(libraries[0]) if libraries else None)
    if count == 1 or not hasattr(openmp, "omp_get_dynamic"):  # torch may be built without OpenMP
        return
    found = {
        "OMP_DYNAMIC=true": bool(openmp.omp_get_dynamic()),
        f"OMP_THREAD_LIMIT={(most := openmp.omp_get_thread_limit())}": most < count,
        "OMP_MAX_ACTIVE_LEVELS=0": openmp.omp_get_max_active_levels() < 1,
    }
    if hindered := " and ".join(name for name, hinders in found.items() if hinders):
        raise UserError(
            f"training.threads {count} needs as many threads of OpenMP, found {hindered}, with which fewer may start; "
            f"unset these, or set training.threads=1."
        )


def chosen_precision(
    model: ModelParameters, training: TrainingParameters, device: torch.device, of_series: bool = False
) -> str:
    """The precision for `training.precision`: "float32", "bfloat16", "portable" or "bfloat16_kernel".

    "auto" is portable where that can train these parameters on this kind of data and the kernel was built; a log line
    says if it was not. Elsewhere it is bfloat16 if `device` has hardware support for it, else float32.

    Raises:
        UserError: if a precision of the kernel is requested for series or a graphics card, or without the kernel; or
            bfloat16 without hardware support, as torch's LSTM then fails or is slower than in float32.
    """
    requested = training.precision
    lacking = "images, found series" if of_series else "the CPU, found cuda" if device.type != "cpu" else ""
    if requested in BY_KERNEL:
        if lacking:
            raise UserError(f"training.precision {requested!r} needs {lacking}; set auto.")
        if requested == "bfloat16_kernel" and not has_bfloat16():
            raise UserError(
                f"training.precision {requested!r} needs a processor with AVX-512 BF16, found none; set portable."
            )
        library(), library(requested == "bfloat16_kernel")  # the layer in bfloat16 is of training alone
    elif requested == "bfloat16" and not multiplies_bfloat16(device):
        used = f" (oneDNN uses {onednn_instructions()})" if device.type == "cpu" and onednn_instructions() else ""
        raise UserError(
            "training.precision 'bfloat16' needs a processor with AVX-512 BF16 or AMX, or a graphics card with "
            f"bfloat16, found none on {device.type!r}{used}; set auto or float32."
        )
    elif requested == "auto":
        fallback = "bfloat16" if multiplies_bfloat16(device) else "float32"
        return fallback if lacking or kernel_needs(model, training) else _portable_or(fallback)
    return requested


def _portable_or(fallback: str) -> str:
    try:
        library()
    except UserError as error:
        logger.warning("Trains in %s: %s", fallback, error)
        return fallback
    return "portable"


def kernel_layers(bfloat16: bool, classifier: RecurrentClassifier, _: torch.device) -> AbstractContextManager[None]:
    """Makes a classifier compute by the kernel, in training and in evaluation.

    Args:
        bfloat16: of the recurrent layer in training, where all else stays float32.
    """
    return _replaced(
        {
            (classifier.recurrent, "forward"): partial(recurrent, classifier.recurrent, bfloat16=bfloat16),
            (classifier.readout, "forward"): partial(linear, classifier.readout),
            (classifier.dropout, "forward"): partial(dropout, classifier.dropout),
        }
    )


def bfloat16_layers(classifier: RecurrentClassifier, device: torch.device) -> AbstractContextManager[None]:
    """Makes the recurrent layer compute in bfloat16 by torch while the classifier is in training mode.

    Weights, readout, loss and optimiser stay float32, and so does evaluation.
    """
    # autocast must cover this layer only, and torch has no hook around a layer; series have a reading of their own
    owner, name = (
        (classifier, "_read") if isinstance(classifier, SeriesClassifier) else (classifier.recurrent, "forward")
    )
    compute = getattr(owner, name)

    def mixed(*inputs: Any) -> Any:
        with torch.autocast(device.type, torch.bfloat16, enabled=classifier.training):
            return compute(*inputs)

    return _replaced({(owner, name): mixed})


@contextmanager
def _replaced(methods: dict[tuple[nn.Module, str], Callable[..., Any]]) -> Iterator[None]:
    for (module, name), function in methods.items():
        setattr(module, name, function)
    try:
        yield
    finally:
        for module, name in methods:
            delattr(module, name)
