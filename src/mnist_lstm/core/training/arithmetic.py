"""The arithmetic of a training: torch's, or the kernel's with the same bits on every processor."""

import logging
import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_

from mnist_lstm.core.evaluation import metrics
from mnist_lstm.core.kernel import functions, updates
from mnist_lstm.core.kernel.layers import mean_cross_entropy, portable_cross_entropy
from mnist_lstm.core.kernel.library import library
from mnist_lstm.core.model.classifier import RecurrentClassifier
from mnist_lstm.core.training.compute import bfloat16_layers, kernel_layers
from mnist_lstm.core.training.optimizers import OPTIMIZERS
from mnist_lstm.errors import UserError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Arithmetic:
    """What computes an update of the weights and the validation after it."""

    by_kernel: bool  # whether it is the kernel's, also for initial weights and augmentation; threads change no bit then
    portable: bool  # whether the bits are the same on every processor
    # Makes a classifier on a device compute by this arithmetic
    layers: Callable[[RecurrentClassifier, torch.device], AbstractContextManager[None]]
    # Mean cross-entropy in nats of logits (N, K), targets (N,) and the label smoothing
    loss: Callable[[Tensor, Tensor, float], Tensor]
    limit_norm: Callable[..., Any]  # scales the gradients of weights to a largest norm
    # By name, functions of weights, gradients, states, settings and the learning rate
    optimizers: dict[str, Callable[..., None]]
    move_average: Callable[[Tensor, Tensor, float], Any]  # moves a mean towards a weight by a share of the way
    cosine: Callable[[float], float]  # of the learning rate's schedule
    validation_loss: Callable[..., float]  # mean cross-entropy in nats of logits (N, K) and labels (N,)


FLOAT32 = Arithmetic(
    by_kernel=False,
    portable=False,
    layers=lambda classifier, device: nullcontext(),
    loss=lambda logits, targets, smoothing: cross_entropy(logits, targets, label_smoothing=smoothing),
    limit_norm=clip_grad_norm_,
    optimizers=OPTIMIZERS,
    move_average=Tensor.lerp_,
    cosine=math.cos,
    validation_loss=metrics.cross_entropy,
)
PORTABLE = Arithmetic(
    by_kernel=True,
    portable=True,
    layers=partial(kernel_layers, False),
    loss=portable_cross_entropy,
    limit_norm=updates.clip_norm,
    optimizers=updates.OPTIMIZERS,
    move_average=updates.move_average,
    cosine=functions.cosine,
    validation_loss=mean_cross_entropy,
)
# By training.precision, except auto
ARITHMETICS = {
    "float32": FLOAT32,
    "bfloat16": replace(FLOAT32, layers=bfloat16_layers),
    "portable": PORTABLE,
    "bfloat16_kernel": replace(PORTABLE, portable=False, layers=partial(kernel_layers, True)),
}


def arithmetic_of(fields: dict[str, Any]) -> Arithmetic:
    """The arithmetic of a training with these fingerprint fields."""
    return ARITHMETICS.get(fields.get("training.precision", ""), FLOAT32)


def layers_here(precision: str, classifier: RecurrentClassifier) -> AbstractContextManager[None]:
    """Makes a trained classifier compute on the CPU as in training; by torch, with a log line, without the kernel."""
    arithmetic = ARITHMETICS[precision]
    try:
        if arithmetic.by_kernel:
            library()
    except UserError as error:
        _warn(f"Classifies by torch, whose last bits differ between processors: {error}")
        return nullcontext()
    return arithmetic.layers(classifier, torch.device("cpu"))


@cache  # once in a process, not for every batch
def _warn(message: str) -> None:
    logger.warning(message)
