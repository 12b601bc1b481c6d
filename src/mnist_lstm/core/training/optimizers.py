"""The optimisers, and one update of the weights."""

import copy
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_

from mnist_lstm.core.kernel import updates
from mnist_lstm.core.kernel.layers import portable_cross_entropy
from mnist_lstm.core.model.classifier import RecurrentClassifier
from mnist_lstm.parameters import TrainingParameters

State = dict[str, Tensor]  # of one weight: by its name in torch.optim


class Optimizer:
    """Adam, AdamW or SGD: the formulae and the bits of torch.optim with `fused=True`.

    It calls torch's fused operations itself, as building an optimiser of torch.optim imports torch's compiler,
    torch._dynamo, which takes 1 to 4 seconds that training does not need.

    Args:
        weights: those to train, all on one device.
        training: the settings.
    """

    def __init__(self, weights: list[Tensor], training: TrainingParameters):
        self._weights, self._training = weights, training
        self._states: list[State] = []  # of each weight, from the first update on

    def zero_grad(self) -> None:
        """Forgets the gradients."""
        for weight in self._weights:
            weight.grad = None

    def step(self, learning_rate: float) -> None:
        """Updates the weights from their gradients."""
        gradients = [weight.grad for weight in self._weights]
        optimizers = PORTABLE_OPTIMIZERS if self._training.precision == "portable" else OPTIMIZERS
        with torch.no_grad():
            optimizers[self._training.optimizer](self._weights, gradients, self._states, self._training, learning_rate)

    def state_dict(self) -> dict[str, Any]:
        """The state by the position of each weight, as in torch.optim."""
        return {"state": dict(enumerate(self._states))}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Restores a `state_dict`, of this class or of torch.optim."""
        states = [saved["state"][position] for position in sorted(saved["state"])]
        device = self._weights[0].device
        self._states = [{name: value.to(device) for name, value in state.items()} for state in states]


def adam(
    weights: list[Tensor],
    gradients: list[Any],
    states: list[State],
    training: TrainingParameters,
    learning_rate: float,
    fused: Callable[..., None] = torch._fused_adam_,
) -> None:
    """One update by Adam.

    Source: Kingma and Ba 2015, arXiv:1412.6980.
    """
    if not states:
        states += [_without_moments(weight) for weight in weights]
    first, second, steps = ([state[name] for state in states] for name in ("exp_avg", "exp_avg_sq", "step"))
    torch._foreach_add_(steps, 1)
    settings = {"lr": learning_rate, "weight_decay": training.weight_decay, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
    fused(weights, gradients, first, second, [], steps, amsgrad=False, maximize=False, **settings)


def _without_moments(weight: Tensor) -> State:
    step = torch.zeros((), dtype=torch.float32, device=weight.device)
    return {"step": step, "exp_avg": torch.zeros_like(weight), "exp_avg_sq": torch.zeros_like(weight)}


def sgd(
    weights: list[Tensor],
    gradients: list[Any],
    states: list[State],
    training: TrainingParameters,
    learning_rate: float,
) -> None:
    """One update by gradient descent with momentum."""
    first = not states
    if first and training.momentum:
        states += [{"momentum_buffer": torch.empty_like(weight)} for weight in weights]
    torch._fused_sgd_(
        weights,
        gradients,
        [state["momentum_buffer"] for state in states],
        weight_decay=training.weight_decay,
        momentum=training.momentum,
        lr=learning_rate,
        dampening=0.0,
        nesterov=False,
        maximize=False,
        is_first_step=first,
    )


# AdamW decays the weights apart from the gradient: Loshchilov and Hutter 2019, arXiv:1711.05101
OPTIMIZERS: dict[str, Callable[..., None]] = {
    "adam": adam,
    "adamw": partial(adam, fused=torch._fused_adamw_),
    "sgd": sgd,
}


def _portable(
    weights: list[Tensor],
    gradients: list[Any],
    states: list[State],
    training: TrainingParameters,
    learning_rate: float,
    update: Callable[..., None],
) -> None:
    """One update of each weight by a function of the kernel."""
    states += [{} for _ in weights[len(states) :]]
    for weight, gradient, state in zip(weights, gradients, states, strict=True):
        update(weight, gradient, state, learning_rate, training.weight_decay, training.momentum)


PORTABLE_OPTIMIZERS: dict[str, Callable[..., None]] = {
    "adam": partial(_portable, update=partial(updates.adam, decoupled=False)),
    "adamw": partial(_portable, update=partial(updates.adam, decoupled=True)),
    "sgd": partial(_portable, update=updates.sgd),
}


def new_optimizer(classifier: RecurrentClassifier, training: TrainingParameters) -> Optimizer:
    """The optimiser of all trainable weights."""
    return Optimizer([weight for weight in classifier.parameters() if weight.requires_grad], training)


def apply_update(
    classifier: nn.Module,
    optimizer: Optimizer,
    inputs: Tensor,
    targets: Tensor,
    training: TrainingParameters,
    learning_rate: float,
) -> tuple[Tensor, Tensor]:
    """Applies one update of the weights; on the CPU, only if the loss is finite.

    On a graphics card this check would wait for the device, so the loop checks at reports instead.

    Returns:
        Loss and logits (N, K) of the batch before the update.
    """
    logits = classifier(inputs)
    portable = training.precision == "portable"
    if portable:
        loss = portable_cross_entropy(logits, targets, training.label_smoothing)
    else:
        loss = cross_entropy(logits, targets, label_smoothing=training.label_smoothing)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    if training.clip_norm is not None:
        (updates.clip_norm if portable else clip_grad_norm_)(classifier.parameters(), training.clip_norm)
    if loss.device.type != "cpu" or math.isfinite(loss.item()):
        optimizer.step(learning_rate)
    return loss.detach(), logits.detach()


def average_into(
    averaged: RecurrentClassifier, classifier: RecurrentClassifier, training: TrainingParameters, update: int
) -> None:
    """Moves the average towards the weights after an update, faster in early updates.

    Source of the increasing decay: https://www.tensorflow.org/api_docs/python/tf/train/ExponentialMovingAverage.
    """
    share = 1 - min(training.ema_decay, (1 + update) / (10 + update))
    move = updates.move_average if training.precision == "portable" else Tensor.lerp_
    with torch.no_grad():
        for mean, weight in zip(averaged.parameters(), classifier.parameters(), strict=True):
            move(mean, weight, share)


def average_of(classifier: RecurrentClassifier) -> RecurrentClassifier:
    """A frozen copy of the classifier: the average of its current weights."""
    return copy.deepcopy(classifier).eval().requires_grad_(False)
