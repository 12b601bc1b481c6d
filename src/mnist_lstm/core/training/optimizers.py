"""The optimisers, and one update of the weights."""

import copy
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_
from torch.optim import SGD, Adam, AdamW, Optimizer

from mnist_lstm.core.model.classifier import RecurrentClassifier
from mnist_lstm.parameters import TrainingParameters

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {"adam": Adam, "adamw": AdamW, "sgd": SGD}


def new_optimizer(classifier: RecurrentClassifier, training: TrainingParameters) -> Optimizer:
    """The optimiser of all trainable weights."""
    trained = [weight for weight in classifier.parameters() if weight.requires_grad]
    settings = {"lr": training.learning_rate, "weight_decay": training.weight_decay, "fused": True}
    if training.optimizer == "sgd":
        settings["momentum"] = training.momentum
    return OPTIMIZERS[training.optimizer](trained, **settings)


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
    loss = cross_entropy(logits, targets, label_smoothing=training.label_smoothing)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    if training.clip_norm is not None:
        clip_grad_norm_(classifier.parameters(), training.clip_norm)
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    if loss.device.type != "cpu" or math.isfinite(loss.item()):
        optimizer.step()
    return loss.detach(), logits.detach()


def average_into(averaged: RecurrentClassifier, classifier: RecurrentClassifier, decay: float, update: int) -> None:
    """Moves the average towards the weights after an update, faster in early updates.

    Source of the increasing decay: https://www.tensorflow.org/api_docs/python/tf/train/ExponentialMovingAverage.
    """
    share = 1 - min(decay, (1 + update) / (10 + update))
    with torch.no_grad():
        for mean, weight in zip(averaged.parameters(), classifier.parameters(), strict=True):
            mean.lerp_(weight, share)


def average_of(classifier: RecurrentClassifier) -> RecurrentClassifier:
    """A frozen copy of the classifier: the average of its current weights."""
    return copy.deepcopy(classifier).eval().requires_grad_(False)
