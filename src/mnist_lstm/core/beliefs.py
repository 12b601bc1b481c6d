"""What the network believes after each step, though it was trained on its last output only."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnist_lstm.core.metrics import wilson_interval
from mnist_lstm.core.models import RecurrentClassifier


def beliefs(classifier: RecurrentClassifier, sequences: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Class probabilities after each step, (N, T, K), of a few sequences (N, T, F): the readout at every output."""
    with torch.inference_mode():
        return torch.softmax(_logits(classifier, sequences), dim=-1).numpy()


def answers_by_step(
    classifier: RecurrentClassifier, sequences: NDArray[np.uint8], batch_size: int
) -> NDArray[np.uint8]:
    """The class that leads after each step, (N, T), in passes of `batch_size` to bound the memory."""
    with torch.inference_mode():
        answers = [
            _logits(classifier, sequences[start : start + batch_size]).argmax(dim=-1).to(torch.uint8)
            for start in range(0, len(sequences), batch_size)
        ]
    return torch.cat(answers).numpy()


def decision_steps(answers: NDArray[Any]) -> NDArray[np.int64]:
    """The step, 1 to T, from which on the answer stays the last one: (..., T) to (...)."""
    steps = np.arange(1, answers.shape[-1])
    changes = answers[..., :-1] != answers[..., -1:]
    return 1 + np.max(steps * changes, axis=-1, initial=0)  # type: ignore[no-any-return]


def accuracy_by_step(
    answers: NDArray[np.uint8], labels: NDArray[np.uint8], confidence: float
) -> dict[str, NDArray[Any]]:
    """How good the answers (N, T) are after each step.

    Returns:
        Columns of T rows: step (1 to T), accuracy with accuracy_low and accuracy_high (its Wilson interval), and
        decided, the fraction of images whose answer does not change any more.
    """
    correct = (answers == labels[:, None]).sum(axis=0)
    low, high = zip(*(wilson_interval(int(count), len(labels), confidence) for count in correct), strict=True)
    steps = np.arange(1, answers.shape[1] + 1)
    decided = (decision_steps(answers)[:, None] <= steps).mean(axis=0)
    return {
        "step": steps,
        "accuracy": correct / len(labels),
        "accuracy_low": np.array(low),
        "accuracy_high": np.array(high),
        "decided": decided,
    }


def _logits(classifier: RecurrentClassifier, sequences: NDArray[np.uint8]) -> Tensor:
    return classifier.readout(classifier.outputs(torch.from_numpy(sequences)))  # type: ignore[no-any-return]
