"""Metrics of predictions, with confidence intervals."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.kernel.functions import exponential, logarithm

FIRST = 128  # the tutorial evaluated on the first 128 test images
BINS = 15  # bins of confidence, as in Guo et al. 2017


@dataclass(frozen=True, eq=False)
class Predictions:
    """Logits of a classifier for labelled images."""

    logits: NDArray[np.float32]  # float32 (N, K)
    labels: NDArray[np.uint8]  # uint8 (N,)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays under their names in files."""
        return {"logits": self.logits, "labels": self.labels}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Predictions":
        """The inverse of `arrays`."""
        return cls(arrays["logits"], arrays["labels"])


def wilson_interval(correct: int, total: int, confidence: float) -> tuple[float, float]:
    """The Wilson interval: contains the true accuracy with the given confidence.

    Args:
        correct, total: counts of images, 0 <= correct <= total, total >= 1.
        confidence: fraction in (0, 1), such as 0.95.

    Returns:
        Lower and upper accuracy, fractions in [0, 1].

    Raises:
        ValueError: if the counts are impossible.

    Source: Wilson 1927, doi:10.1080/01621459.1927.10502953.
    """
    if not 0 <= correct <= total or total < 1:
        raise ValueError(f"correct must be from 0 to total and total at least 1, found {correct} of {total}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = correct / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * (share * (1 - share) / total + z * z / (4 * total * total)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def percent(confidence: float) -> str:
    """A confidence as text: "95%", "99.9%"."""
    return f"{100 * confidence:.6g}%"


def log_probabilities(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Log-softmax over classes, (N, K), without overflow."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    return shifted - logarithm(exponential(shifted).sum(axis=1, keepdims=True))  # type: ignore[no-any-return]


def cross_entropy(logits: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """Mean cross-entropy in nats of logits (N, K) for labels (N,)."""
    return float(-log_probabilities(logits)[np.arange(len(labels)), labels].mean())


def accuracy(logits: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """Fraction of images whose largest logit belongs to their label."""
    return float((logits.argmax(axis=1) == labels).mean())


def confusion_matrix(predicted: NDArray[Any], labels: NDArray[Any], classes: int) -> NDArray[np.int64]:
    """Counts of images (K, K), by label (row) and prediction (column)."""
    return np.bincount(labels.astype(np.int64) * classes + predicted, minlength=classes**2).reshape(classes, classes)


def per_class(confusion: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Precision, recall and F1 (fractions; 0 if a class has no prediction or no image) and images, each (K,)."""
    right = confusion.diagonal().astype(float)
    images, named = confusion.sum(axis=1), confusion.sum(axis=0)
    return {
        "precision": right / np.maximum(named, 1),
        "recall": right / np.maximum(images, 1),
        "f1": 2 * right / np.maximum(images + named, 1),
        "images": images,
    }


def reliability(logits: NDArray[Any], labels: NDArray[Any], bins: int) -> dict[str, NDArray[Any]]:
    """Accuracy of the predictions by confidence, in `bins` equal intervals.

    Returns:
        Each (bins,): "low" (exclusive) and "high" (inclusive) edges; "images" and "correct", counts; "confidence", the
        mean probability of the predicted class, nan in empty bins.

    Source: Guo et al. 2017, https://proceedings.mlr.press/v70/guo17a.html, section 2.
    """
    confidence = exponential(log_probabilities(logits)).max(axis=1)
    edges = np.linspace(0, 1, bins + 1)
    place = np.digitize(confidence, edges[1:-1], right=True)
    images = np.bincount(place, minlength=bins)
    summed = np.bincount(place, weights=confidence, minlength=bins)
    return {
        "low": edges[:-1],
        "high": edges[1:],
        "images": images,
        "correct": np.bincount(place, weights=logits.argmax(axis=1) == labels, minlength=bins).astype(np.int64),
        "confidence": np.divide(summed, images, out=np.full(bins, np.nan), where=images > 0),
    }


def expected_calibration_error(bins: dict[str, NDArray[Any]]) -> float:
    """Mean gap between confidence and accuracy over the bins of `reliability`, weighted by images; a fraction."""
    expected = bins["images"] * np.nan_to_num(bins["confidence"])
    return float(np.abs(bins["correct"] - expected).sum() / bins["images"].sum())


def summarize(logits: NDArray[Any], labels: NDArray[Any], confidence: float) -> dict[str, float]:
    """Test metrics under their MLflow names: fractions in [0, 1], counts of images, and nats."""
    right = logits.argmax(axis=1) == labels
    low, high = wilson_interval(int(right.sum()), len(right), confidence)
    first = right[:FIRST]
    scores = per_class(confusion_matrix(logits.argmax(axis=1), labels, logits.shape[1]))
    present = scores["images"] > 0  # a class without images has no recall
    return {
        "test/accuracy": float(right.mean()),
        "test/accuracy_low": low,
        "test/accuracy_high": high,
        "test/loss": cross_entropy(logits, labels),
        "test/images": len(right),
        "test/correct": int(right.sum()),
        f"test/first_{FIRST}_accuracy": float(first.mean()),
        f"test/first_{FIRST}_correct": int(first.sum()),
        "test/macro_f1": float(scores["f1"][present].mean()),
        "test/balanced_accuracy": float(scores["recall"][present].mean()),
        "test/ece": expected_calibration_error(reliability(logits, labels, BINS)),
    }
