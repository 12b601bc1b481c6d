"""Updates of the weights, the limit of the gradient's norm, and resampled images, with the bits of the kernel."""

import math
from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnist_lstm.core.kernel.library import address, library

State = dict[str, Tensor]


def adam(weight: Tensor, gradient: Tensor, state: State, rate: float, decay: float, _: float, decoupled: bool) -> None:
    """One update by Adam, or AdamW if the decay is decoupled; `state` has torch's names and grows at the first."""
    if not state:
        state |= {"step": torch.zeros(()), "exp_avg": torch.zeros_like(weight), "exp_avg_sq": torch.zeros_like(weight)}
    state["step"] += 1
    tensors = (weight, gradient, state["exp_avg"], state["exp_avg_sq"])
    places = [address(tensor, *weight.shape) for tensor in tensors]
    library().adam(weight.numel(), *places, rate, decay, decoupled, int(state["step"]))


def sgd(weight: Tensor, gradient: Tensor, state: State, rate: float, decay: float, momentum: float) -> None:
    """One update by gradient descent with momentum."""
    if momentum and not state:
        state["momentum_buffer"] = torch.zeros_like(weight)
    places = [address(tensor, *weight.shape) for tensor in (weight, gradient)]
    buffer = address(state["momentum_buffer"], *weight.shape) if momentum else None
    library().sgd(weight.numel(), *places, buffer, rate, decay, momentum)


def clip_norm(weights: Iterable[Tensor], largest: float) -> None:
    """Scales the gradients so that the norm of all is at most `largest`, as torch's clip_grad_norm_."""
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    total = 0.0
    for gradient in gradients:
        total = library().sum_of_squares(gradient.numel(), address(gradient, *gradient.shape), total)
    factor = largest / (math.sqrt(total) + 1e-6)
    for gradient in gradients if factor < 1 else ():
        gradient.mul_(factor)


def move_average(mean: Tensor, weight: Tensor, share: float) -> None:
    """Moves the average: mean += share (weight - mean)."""
    library().move_average(weight.numel(), *(address(each, *mean.shape) for each in (mean, weight)), share)


def resample(images: Tensor, matrices: NDArray[np.float64], shifts: NDArray[np.float64]) -> Tensor:
    """Images uint8 (N, height, width) whose pixels come from matrix (x, y) + shift, in pixels from the middle.

    Args:
        images: uint8 (N, height, width); zero beyond the edges.
        matrices: (N, 2, 2).
        shifts: (N, 2).
    """
    places = torch.from_numpy(np.ascontiguousarray(np.concatenate([matrices.reshape(-1, 4), shifts], axis=1)))
    moved = torch.empty_like(images)
    source = address(images, *images.shape, dtype=torch.uint8)
    places_at = address(places, len(images), 6, dtype=torch.float64)
    library().resample(*images.shape, source, places_at, moved.data_ptr())
    return moved
