"""Evaluates the classifier on the test images, which no earlier stage uses."""

import logging
import math
from typing import Any

import pandas as pd

from mnist_lstm.core.data.data_card import DataCard
from mnist_lstm.core.data.sequences import SequenceSplit
from mnist_lstm.core.evaluation import metrics
from mnist_lstm.core.evaluation.metrics import Predictions
from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.core.training.fits import expect_data
from mnist_lstm.parameters import EvaluationParameters

logger = logging.getLogger(__name__)


def predict_test(
    checkpoint: Checkpoint, test_sequences: SequenceSplit, data_card: DataCard, evaluation: EvaluationParameters
) -> Predictions:
    """Classifies every test image: logits (N, K) with labels (N,)."""
    expect_data(checkpoint, data_card, test_sequences, others=evaluation.of is not None)
    logits = checkpoint.logits(test_sequences.sequences, evaluation.batch_size)
    return Predictions(logits, test_sequences.labels)


def score(
    test_logits: Predictions, data_card: DataCard, evaluation: EvaluationParameters
) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]:
    """Computes accuracy with its Wilson interval, loss, calibration, per-class scores and the confusion matrix.

    Includes the tutorial's own metric: the accuracy on the first 128 test images.
    """
    logits, labels, names = test_logits.logits, test_logits.labels, data_card.class_names
    about = {
        "data": f"{len(labels):,} test {data_card.noun.many} of {data_card.title}",
        "confidence": evaluation.confidence,
    }
    summary = metrics.summarize(logits, labels, evaluation.confidence)
    if summary["test/loss"] > 2 * (guess := math.log(len(names))):
        logger.warning(
            "The test loss is %.3g, that of a guess %.3g: the training diverged (lower training.learning_rate), or "
            "these images are unlike those that it read.",
            summary["test/loss"],
            guess,
        )
    confusion = metrics.confusion_matrix(logits.argmax(axis=1), labels, len(names))
    label, prediction = pd.Index(names, name="label"), pd.Index(names, name="prediction")
    return (
        about | summary,
        pd.DataFrame(metrics.per_class(confusion), index=label).reset_index(),
        pd.DataFrame(confusion, index=label, columns=prediction).reset_index(),
    )
