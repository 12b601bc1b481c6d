"""The mutable state of training: weights, their average, optimiser and random numbers of dropout."""

import copy
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mnist_lstm.core.model.classifier import RecurrentClassifier
from mnist_lstm.core.training.arithmetic import ARITHMETICS
from mnist_lstm.core.training.compute import random_numbers
from mnist_lstm.core.training.data_parallel import SINGLE_PROCESS, DataParallel
from mnist_lstm.core.training.optimizers import Optimizer
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
        self._arithmetic = ARITHMETICS[training.precision]
        trained: list[Tensor] = [weight for weight in classifier.parameters() if weight.requires_grad]
        self._optimizer = Optimizer(trained, training, self._arithmetic.optimizers[training.optimizer])
        self._averaged = copy.deepcopy(classifier).eval().requires_grad_(False) if training.ema_decay else None
        torch.manual_seed(int(np.random.SeedSequence([training.seed, DROPOUT]).generate_state(1)[0]))
        classifier.train()

    @property
    def classifying(self) -> RecurrentClassifier:
        """The classifier with the averaged weights if there are any, else with the current ones."""
        return self._averaged or self._classifier

    def learn(self, inputs: Tensor, targets: Tensor, update: int) -> Tensor:
        """Updates the weights from a batch and returns the loss of the batch before the update."""
        inputs, self._targets = map(self._data_parallel.share, (inputs, targets))
        loss = self._apply_update(inputs, update)
        if self._averaged:
            self._average_into(self._averaged, update)
        return self._data_parallel.mean(loss)

    def _apply_update(self, inputs: Tensor, update: int) -> Tensor:
        """Applies one update of the weights; on the CPU, only if the loss is finite.

        On a graphics card this check would wait for the device, so the loop checks at reports instead.
        """
        logits = self._wrapped(inputs)
        loss = self._arithmetic.loss(logits, self._targets, self._training.label_smoothing)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if self._training.clip_norm is not None:
            self._arithmetic.limit_norm(self._classifier.parameters(), self._training.clip_norm)
        if loss.device.type != "cpu" or math.isfinite(loss.item()):
            self._optimizer.step(self.learning_rate(update))
        self._logits = logits.detach()
        return loss.detach()

    def _average_into(self, averaged: RecurrentClassifier, update: int) -> None:
        """Moves the average towards the weights after an update, faster in early updates.

        Source of the increasing decay: https://www.tensorflow.org/api_docs/python/tf/train/ExponentialMovingAverage.
        """
        share = 1 - min(self._training.ema_decay, (1 + update) / (10 + update))
        with torch.no_grad():
            for mean, weight in zip(averaged.parameters(), self._classifier.parameters(), strict=True):
                self._arithmetic.move_average(mean, weight, share)

    def accuracy(self) -> float:
        """Accuracy on the latest batch, before its update."""
        return float(self._data_parallel.mean((self._logits.argmax(1) == self._targets).float().mean()))

    def learning_rate(self, update: int) -> float:
        """The learning rate of an update."""
        return learning_rate(self._training, update, self.total, self._arithmetic.cosine)

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
            random_numbers(self._device).get_rng_state(),
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
        random_numbers(self._device).set_rng_state(state.random_state)


def copied(value: Any) -> Any:
    """A copy of nested dicts and lists with all tensors on the CPU."""
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, list) else value
