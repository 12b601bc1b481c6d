"""The mutable state of training: weights, their average, optimiser and random numbers of dropout."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mnist_lstm.core.model.classifier import RecurrentClassifier
from mnist_lstm.core.training.compute import random_state, set_random_state
from mnist_lstm.core.training.data_parallel import SINGLE_PROCESS, DataParallel
from mnist_lstm.core.training.optimizers import apply_update, average_into, average_of, new_optimizer
from mnist_lstm.core.training.schedules import learning_rate
from mnist_lstm.parameters import TrainingParameters

DROPOUT = 1  # separates this random stream from that of the initial weights

Weights = dict[str, Tensor]
Row = dict[str, float]


@dataclass(frozen=True)
class Best:
    """The classifying weights with the highest validation accuracy so far; averaged if training averages them."""

    iteration: int
    accuracy: float
    weights: Weights


@dataclass(frozen=True)
class TrainingState:
    """All that training needs to continue as if it had not stopped; tensors are on the CPU.

    Batches, augmentation and learning rate follow from `iteration`, the number of updates done.
    """

    iteration: int
    weights: Weights
    average: Weights | None  # of the weights, if training averages them
    optimizer: dict[str, Any]
    random_state: Tensor  # of torch's generator, used by dropout
    history: list[Row]
    best: Best | None
    ended: bool  # whether training has ended

    @property
    def classifying(self) -> Weights:
        """The weights that classify: the average if there is one."""
        return self.average or self.weights


class Learner:
    """A classifier in training.

    Args:
        classifier: with its initial weights, on its device.
        training: the settings.
        total: number of updates of the complete training.
        data_parallel: rank of this process and number of processes.

    Attributes:
        total: number of updates of the complete training.
    """

    def __init__(
        self,
        classifier: RecurrentClassifier,
        training: TrainingParameters,
        total: int,
        data_parallel: DataParallel = SINGLE_PROCESS,
    ):
        self._classifier, self._training, self.total, self._data_parallel = classifier, training, total, data_parallel
        self._wrapped = data_parallel.wrap(classifier)
        self._device = classifier.readout.weight.device
        self._optimizer = new_optimizer(classifier, training)
        self._averaged = average_of(classifier) if training.ema_decay else None
        torch.manual_seed(int(np.random.SeedSequence([training.seed, DROPOUT]).generate_state(1)[0]))
        classifier.train()

    @property
    def classifying(self) -> RecurrentClassifier:
        """The classifier with the averaged weights if there are any, else with the current ones."""
        return self._averaged or self._classifier

    def learn(self, inputs: Tensor, targets: Tensor, update: int) -> Tensor:
        """Updates the weights from a batch and returns the loss of the batch before the update."""
        rate, (inputs, self._targets) = self.learning_rate(update), map(self._data_parallel.share, (inputs, targets))
        loss, self._logits = apply_update(self._wrapped, self._optimizer, inputs, self._targets, self._training, rate)
        if self._averaged:
            average_into(self._averaged, self._classifier, self._training, update)
        return self._data_parallel.mean(loss)

    def accuracy(self) -> float:
        """Accuracy on the latest batch, before its update."""
        return float(self._data_parallel.mean((self._logits.argmax(1) == self._targets).float().mean()))

    def learning_rate(self, update: int) -> float:
        """The learning rate of an update."""
        return learning_rate(self._training, update, self.total)

    def is_finite(self) -> bool:
        """Whether all weights are finite."""
        return all(bool(weight.isfinite().all()) for weight in self._classifier.parameters())

    def weights(self) -> Weights:
        """A copy of the weights that classify."""
        return copied(self.classifying.state_dict())  # type: ignore[no-any-return]

    def state(self, update: int, history: list[Row], best: Best | None, ended: bool) -> TrainingState:
        """A snapshot after `update` updates."""
        return TrainingState(
            update,
            copied(self._classifier.state_dict()),
            self.weights() if self._averaged else None,
            copied(self._optimizer.state_dict()),
            random_state(self._device),
            history,
            best,
            ended,
        )

    def restore(self, state: TrainingState) -> None:
        """Restores a snapshot."""
        self._classifier.load_state_dict(state.weights)
        if self._averaged and state.average:
            self._averaged.load_state_dict(state.average)
        self._optimizer.load_state_dict(copied(state.optimizer))
        set_random_state(self._device, state.random_state)


def copied(value: Any) -> Any:
    """A copy of nested dicts and lists with all tensors on the CPU."""
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, list) else value
