"""One update of the weights, and the optimisers that make it."""

import math
from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim import Adam, Optimizer

from mnist_lstm.core.models import RecurrentClassifier
from mnist_lstm.parameters import TrainingParameters

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {"adam": Adam}


def new_optimizer(classifier: RecurrentClassifier, training: TrainingParameters) -> Optimizer:
    """The optimiser of all weights that are trained."""
    trained = [weight for weight in classifier.parameters() if weight.requires_grad]
    return OPTIMIZERS[training.optimizer](trained, lr=training.learning_rate, fused=True)


def update(
    classifier: RecurrentClassifier, optimizer: Optimizer, inputs: Tensor, targets: Tensor
) -> tuple[float, Callable[[], float]]:
    """One update of the weights.

    Returns:
        The batch's loss just before the update, and a function that gives its accuracy then.
    """
    logits = classifier(inputs)
    loss = cross_entropy(logits, targets)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    value = float(loss.detach())
    if math.isfinite(value):
        optimizer.step()
    return value, lambda: float((logits.detach().argmax(1) == targets).float().mean())
