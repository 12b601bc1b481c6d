"""Selects example images for figures by fixed rules, so that equal runs show equal images."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.evaluation.metrics import log_probabilities


def most_confident_mistakes(logits: NDArray[Any], labels: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Positions of at most `count` wrong predictions, most confident first."""
    confidence = log_probabilities(logits).max(axis=1)
    wrong = np.flatnonzero(logits.argmax(axis=1) != labels)
    return wrong[np.argsort(-confidence[wrong], kind="stable")][:count]


def of_each_class(labels: NDArray[Any], classes: int, each: int) -> NDArray[np.int64]:
    """Positions of the first `each` images of each class, or of as many as there are, class after class."""
    return np.concatenate([np.flatnonzero(labels == label)[:each] for label in range(classes)])


def spread(candidates: NDArray[np.int64], values: NDArray[Any], count: int) -> NDArray[np.int64]:
    """At most `count` of the candidates, evenly spread from small to large values, without the extremes."""
    ordered = candidates[np.argsort(values[candidates], kind="stable")]
    if len(ordered) <= count:
        return ordered
    return ordered[((np.arange(count) + 0.5) * len(ordered) / count).astype(np.int64)]


def right_and_wrong(
    predicted: NDArray[Any], labels: NDArray[Any], decided: NDArray[Any], each: int
) -> NDArray[np.int64]:
    """Positions of at most `each` right and `each` wrong images, both from early to late decisions.

    Args:
        predicted, labels: (N,).
        decided: the decision step of each image, (N,).
    """
    right = predicted == labels
    return np.concatenate([spread(np.flatnonzero(kind), decided, each) for kind in (right, ~right)])


def disagreements(probabilities: NDArray[Any], labels: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Positions of at most `count` images that not all classifiers answer alike, the largest difference first.

    Args:
        probabilities: of the classes, from C classifiers, (C, N, K).
        labels: (N,).
    """
    answers = probabilities.argmax(axis=2)
    differing = np.flatnonzero((answers != answers[0]).any(axis=0))
    right = probabilities[:, np.arange(len(labels)), labels]  # of the label, (C, N)
    spread_out = np.ptp(right, axis=0)[differing]
    return differing[np.argsort(-spread_out, kind="stable")][:count]
