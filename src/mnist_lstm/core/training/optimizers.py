"""The optimisers."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from mnist_lstm.core.kernel.updates import State, without_moments
from mnist_lstm.parameters import TrainingParameters


class Optimizer:
    """Adam, AdamW or SGD: the formulae and the bits of torch.optim with `fused=True`.

    It calls torch's fused operations itself, as building an optimiser of torch.optim imports torch's compiler,
    torch._dynamo, which takes 1 to 4 seconds that training does not need.

    Args:
        weights: those to train, all on one device.
        update: the function of `OPTIMIZERS`, or of the kernel's, that computes.
    """

    def __init__(self, weights: list[Tensor], training: TrainingParameters, update: Callable[..., None]):
        self._weights, self._training, self._update = weights, training, update
        self._states: list[State] = []  # of each weight, from the first update on

    def zero_grad(self) -> None:
        """Forgets the gradients."""
        for weight in self._weights:
            weight.grad = None

    def step(self, learning_rate: float) -> None:
        """Updates the weights from their gradients."""
        gradients = [weight.grad for weight in self._weights]
        with torch.no_grad():
            self._update(self._weights, gradients, self._states, self._training, learning_rate)

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
        states += [without_moments(weight) for weight in weights]
    first, second, steps = ([state[name] for state in states] for name in ("exp_avg", "exp_avg_sq", "step"))
    torch._foreach_add_(steps, 1)
    settings = {"lr": learning_rate, "weight_decay": training.weight_decay, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
    fused(weights, gradients, first, second, [], steps, amsgrad=False, maximize=False, **settings)


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
