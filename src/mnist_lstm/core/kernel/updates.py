"""Updates of the weights, the limit of the gradient's norm, and resampled images, with the bits of the kernel."""

import math
from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnist_lstm.core.kernel.library import address, library
from mnist_lstm.parameters import TrainingParameters

State = dict[str, Tensor]  # of one weight: by its name in torch.optim


def adam(
    weights: list[Tensor],
    gradients: list[Tensor],
    states: list[State],
    training: TrainingParameters,
    rate: float,
    decoupled: bool = False,
) -> None:
    """One update by Adam, or AdamW if the decay is decoupled; `states` have torch's names and grow at the first."""
    if not states:
        states += [without_moments(weight) for weight in weights]
    for weight, gradient, state in zip(weights, gradients, states, strict=True):
        state["step"] += 1
        places = [address(each, *weight.shape) for each in (weight, gradient, state["exp_avg"], state["exp_avg_sq"])]
        library().adam(weight.numel(), *places, rate, training.weight_decay, decoupled, int(state["step"]))


def without_moments(weight: Tensor) -> State:
    """Adam's state of a weight before the first update."""
    step = torch.zeros((), dtype=torch.float32, device=weight.device)
    return {"step": step, "exp_avg": torch.zeros_like(weight), "exp_avg_sq": torch.zeros_like(weight)}


def sgd(
    weights: list[Tensor], gradients: list[Tensor], states: list[State], training: TrainingParameters, rate: float
) -> None:
    """One update by gradient descent with momentum."""
    if training.momentum and not states:
        states += [{"momentum_buffer": torch.zeros_like(weight)} for weight in weights]
    for at, (weight, gradient) in enumerate(zip(weights, gradients, strict=True)):
        places = [address(each, *weight.shape) for each in (weight, gradient)]
        buffer = address(states[at]["momentum_buffer"], *weight.shape) if training.momentum else None
        library().sgd(weight.numel(), *places, buffer, rate, training.weight_decay, training.momentum)


OPTIMIZERS: dict[str, Callable[..., None]] = {"adam": adam, "adamw": partial(adam, decoupled=True), "sgd": sgd}


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


def resample(
    images: Tensor, matrices: NDArray[np.float64], shifts: NDArray[np.float64], moves: Tensor | None = None
) -> Tensor:
    """Images uint8 (N, height, width) whose pixels come from matrix (x, y) + shift + move, in pixels from the middle.

    Args:
        images: uint8 (N, height, width); zero beyond the edges.
        matrices: (N, 2, 2).
        shifts: (N, 2).
        moves: of each pixel, in x and y, (N, height, width, 2).
    """
    places = torch.from_numpy(np.ascontiguousarray(np.concatenate([matrices.reshape(-1, 4), shifts], axis=1)))
    moved = torch.empty_like(images)
    source = address(images, *images.shape, dtype=torch.uint8)
    places_at = address(places, len(images), 6, dtype=torch.float64)
    moves_at = None if moves is None else address(moves, *images.shape, 2)
    library().resample(*images.shape, source, places_at, moves_at, moved.data_ptr())
    return moved
