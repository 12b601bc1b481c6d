"""What the network believes after each step, though it was trained to answer once the whole image is read.

One that reads both ways has read every step at once, and so has a belief at the end only: S below is then 1, else T.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnist_lstm.core.data.file_backed import Array
from mnist_lstm.core.evaluation.metrics import wilson_interval
from mnist_lstm.core.model.classifier import RecurrentClassifier, scores


def class_probabilities_by_step(classifier: RecurrentClassifier, sequences: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Class probabilities after each step, (N, S, K), of a few sequences (N, T, F)."""
    with torch.inference_mode():
        return torch.softmax(_logits(classifier, sequences), dim=-1).numpy()


def predictions_by_step(
    classifier: RecurrentClassifier, sequences: NDArray[np.uint8], batch_size: int
) -> NDArray[np.uint8]:
    """The class that leads after each step, (N, S), in passes of `batch_size` to bound the memory."""
    with torch.inference_mode():
        answers = [
            _logits(classifier, sequences[start : start + batch_size]).argmax(dim=-1).to(torch.uint8)
            for start in range(0, len(sequences), batch_size)
        ]
    return torch.cat(answers).numpy()


def decision_steps(answers: NDArray[Any]) -> NDArray[np.int64]:
    """The step, 1 to S, from which on the answer stays the last one: (..., S) to (...)."""
    steps = np.arange(1, answers.shape[-1])
    changes = answers[..., :-1] != answers[..., -1:]
    return 1 + np.max(steps * changes, axis=-1, initial=0)  # type: ignore[no-any-return]


def accuracy_by_step(
    answers: NDArray[np.uint8], labels: NDArray[np.uint8], steps: int, confidence: float
) -> dict[str, NDArray[Any]]:
    """How good the answers (N, S) are after each of the last S of so many steps.

    Returns:
        Columns of S rows: step (the last is `steps`), accuracy with accuracy_low and accuracy_high (its Wilson
        interval), and decided, the fraction of images whose answer does not change any more.
    """
    return _columns(_correct(answers, labels), decision_steps(answers), steps, confidence)


class StepwiseResult(NamedTuple):
    """What came of asking after every step.

    Attributes:
        answers: the last ones, (N,).
        decided: the step of each decision, (N,).
        by_step: as `accuracy_by_step`.
    """

    answers: NDArray[np.uint8]
    decided: NDArray[np.int64]
    by_step: dict[str, NDArray[Any]]


def evaluate_by_step(
    classifier: RecurrentClassifier, sequences: Array, labels: NDArray[np.uint8], batch_size: int, confidence: float
) -> StepwiseResult:
    """Asks after every step, and holds no more of the answers than one batch has at a time."""
    answers, decided, correct = [], [], np.int64(0)
    for start in range(0, len(sequences), batch_size):
        part = slice(start, start + batch_size)
        found = predictions_by_step(classifier, sequences[part], batch_size)
        answers.append(found[:, -1].copy())
        decided.append(decision_steps(found))
        correct = correct + _correct(found, labels[part])
    steps = np.concatenate(decided)
    return StepwiseResult(np.concatenate(answers), steps, _columns(correct, steps, sequences.shape[1], confidence))


def _correct(answers: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Any:
    """How many images are right after each step, (S,)."""
    return (answers == labels[:, None]).sum(axis=0)


def _columns(correct: Any, decided: NDArray[np.int64], steps: int, confidence: float) -> dict[str, NDArray[Any]]:
    images = len(decided)
    low, high = zip(*(wilson_interval(int(count), images, confidence) for count in correct), strict=True)
    return {
        "step": np.arange(1, len(correct) + 1) + steps - len(correct),
        "accuracy": correct / images,
        "accuracy_low": np.array(low),
        "accuracy_high": np.array(high),
        "decided": np.bincount(decided, minlength=len(correct) + 1)[1:].cumsum() / images,
    }


def _logits(classifier: RecurrentClassifier, sequences: NDArray[np.uint8]) -> Tensor:
    """Logits after each step, (N, S, K): those of the sequence that ends there."""
    inputs = torch.from_numpy(sequences)
    if classifier.model.bidirectional:
        return classifier(inputs)[:, None]  # type: ignore[no-any-return]
    outputs = classifier.outputs(inputs)
    # the readout is linear, so that of a weighted mean of hidden states is the weighted mean of theirs
    return RUNNING[classifier.model.pooling](classifier, outputs, classifier.readout(outputs))


def _running_mean(classifier: RecurrentClassifier, outputs: Tensor, logits: Tensor) -> Tensor:
    return _weighted(logits, torch.ones_like(logits[..., :1]))


def _running_attention(classifier: RecurrentClassifier, outputs: Tensor, logits: Tensor) -> Tensor:
    relative = scores(classifier, outputs).double()
    relative = (relative - relative.amax(dim=1, keepdim=True)).clamp(min=-700)  # e^-700 is no zero yet
    return _weighted(logits, torch.exp(relative))


def _weighted(logits: Tensor, weights: Tensor) -> Tensor:
    """The mean of the logits (N, T, K) up to each step, by weights (N, T, 1)."""
    weights = weights.double()
    return ((weights * logits).cumsum(dim=1) / weights.cumsum(dim=1)).to(logits.dtype)


# Outputs (N, T, H) and their logits (N, T, K) to the logits after each step, for each way of pooling
RUNNING: dict[str, Callable[[RecurrentClassifier, Tensor, Tensor], Tensor]] = {
    "last": lambda classifier, outputs, logits: logits,
    "mean": _running_mean,
    "attention": _running_attention,
}
