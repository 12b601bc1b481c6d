"""Class probabilities after each step, although the network was trained to classify complete images.

A bidirectional network sees the whole image before it answers, so it only has a final prediction: S below is 1 for it,
and T for every other network.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnist_lstm.core.data.file_backed import Array
from mnist_lstm.core.evaluation.metrics import wilson_interval
from mnist_lstm.core.model.classifier import RecurrentClassifier
from mnist_lstm.core.model.pooling import scores


def class_probabilities_by_step(classifier: RecurrentClassifier, sequences: NDArray[Any]) -> NDArray[np.float32]:
    """Class probabilities after each step, (N, S, K), for a small batch of sequences (N, T, F)."""
    with torch.inference_mode():
        return torch.softmax(_logits(classifier, sequences), dim=-1).numpy()


def predictions_by_step(classifier: RecurrentClassifier, sequences: NDArray[Any]) -> NDArray[np.uint8]:
    """The most probable class after each step, (N, S), likewise."""
    with torch.inference_mode():
        return _logits(classifier, sequences).argmax(dim=-1).to(torch.uint8).numpy()


def decision_steps(predicted: NDArray[Any]) -> NDArray[np.int64]:
    """The first step, 1 to S, after which the predictions (..., S) equal the final one: (...)."""
    steps = np.arange(1, predicted.shape[-1])
    changes = predicted[..., :-1] != predicted[..., -1:]
    return 1 + np.max(steps * changes, axis=-1, initial=0)  # type: ignore[no-any-return]


def accuracy_by_step(
    correct: NDArray[np.int64], decided: NDArray[np.int64], steps: int, confidence: float
) -> dict[str, NDArray[Any]]:
    """Accuracy after each of the last S steps out of `steps`.

    Args:
        correct: number of correct images after each step, (S,).
        decided: the decision step of each image, (N,).

    Returns:
        Columns of S rows: step (the last is `steps`), accuracy with accuracy_low and accuracy_high (its Wilson
        interval), and decided, the fraction of images whose prediction no longer changes.
    """
    images = len(decided)
    low, high = zip(*(wilson_interval(int(count), images, confidence) for count in correct), strict=True)
    return {
        "step": np.arange(1, len(correct) + 1) + steps - len(correct),
        "accuracy": correct / images,
        "accuracy_low": np.array(low),
        "accuracy_high": np.array(high),
        "decided": np.bincount(decided, minlength=len(correct) + 1)[1:].cumsum() / images,
    }


class StepwiseResult(NamedTuple):
    """Predictions, decision steps and accuracy by step."""

    predicted: NDArray[np.uint8]  # the final predictions, (N,)
    decided: NDArray[np.int64]  # the decision step of each image, (N,)
    by_step: dict[str, NDArray[Any]]  # the columns of `accuracy_by_step`


def evaluate_by_step(
    classifier: RecurrentClassifier, sequences: Array, labels: NDArray[np.uint8], batch_size: int, confidence: float
) -> StepwiseResult:
    """Evaluates the predictions after every step, batch by batch to bound the memory."""
    predicted, decided, correct = [], [], []
    for start in range(0, len(sequences), batch_size):
        part = slice(start, start + batch_size)
        found = predictions_by_step(classifier, sequences[part])
        predicted.append(found[:, -1].copy())
        decided.append(decision_steps(found))
        correct.append((found == labels[part, None]).sum(axis=0))
    steps = np.concatenate(decided)
    by_step = accuracy_by_step(np.sum(correct, axis=0), steps, sequences.shape[1], confidence)
    return StepwiseResult(np.concatenate(predicted), steps, by_step)


def _logits(classifier: RecurrentClassifier, sequences: NDArray[Any]) -> Tensor:
    """Logits after each step, (N, S, K): those of the sequence cut off there."""
    inputs = torch.from_numpy(sequences)
    if classifier.model.bidirectional:
        return classifier(inputs)[:, None]  # type: ignore[no-any-return]
    outputs = classifier.outputs(inputs)
    # The readout is linear: the logits of a weighted mean of hidden states are the weighted mean of their logits
    logits, present = classifier.readout(outputs), classifier.present(inputs)
    return RUNNING[classifier.model.pooling](classifier, outputs, logits, present)


def _running_attention(classifier: RecurrentClassifier, outputs: Tensor, logits: Tensor, present: Tensor) -> Tensor:
    relative = scores(classifier, outputs).double()
    relative = (relative - relative.amax(dim=1, keepdim=True)).clamp(min=-700)  # e^-700 is still above zero
    return _weighted(logits, present * torch.exp(relative))


def _weighted(logits: Tensor, weights: Tensor) -> Tensor:
    """The running mean of the logits (N, T, K), weighted by (N, T, 1)."""
    weights = weights.double()
    return ((weights * logits).cumsum(dim=1) / weights.cumsum(dim=1)).to(logits.dtype)


# By pooling: maps outputs (N, T, H), their logits (N, T, K) and which steps are present to the logits after each step
RUNNING: dict[str, Callable[[RecurrentClassifier, Tensor, Tensor, Tensor], Tensor]] = {
    "last": lambda classifier, outputs, logits, present: logits,
    "mean": lambda classifier, outputs, logits, present: _weighted(logits, present),
    "attention": _running_attention,
}
