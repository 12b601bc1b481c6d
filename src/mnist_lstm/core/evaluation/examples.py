"""Which images a figure shows: chosen by rule, so that the same run shows the same ones."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.evaluation.metrics import log_probabilities


def most_confident_mistakes(logits: NDArray[Any], labels: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Positions of at most `count` wrong predictions, the most probable first."""
    confidence = log_probabilities(logits).max(axis=1)
    wrong = np.flatnonzero(logits.argmax(axis=1) != labels)
    return wrong[np.argsort(-confidence[wrong], kind="stable")][:count]


def spread(candidates: NDArray[np.int64], values: NDArray[Any], count: int) -> NDArray[np.int64]:
    """At most `count` of the candidates, evenly from small to large values, without the extremes."""
    ordered = candidates[np.argsort(values[candidates], kind="stable")]
    if len(ordered) <= count:
        return ordered
    return ordered[((np.arange(count) + 0.5) * len(ordered) / count).astype(np.int64)]


def right_and_wrong(answers: NDArray[Any], labels: NDArray[Any], decided: NDArray[Any], each: int) -> NDArray[np.int64]:
    """Positions of at most `each` right and `each` wrong images, in each case from early to late decisions.

    Args:
        answers, labels: (N,).
        decided: the step of each decision, (N,).
        each: most images of either kind.
    """
    right = answers == labels
    return np.concatenate([spread(np.flatnonzero(kind), decided, each) for kind in (right, ~right)])
