"""Measuring the classifier on the test images, which nothing before this stage has seen."""

from typing import Any

import pandas as pd

from mnist_lstm.core import metrics, plots
from mnist_lstm.core.checkpoint import Checkpoint, expect_data
from mnist_lstm.core.models import classify
from mnist_lstm.core.splits import Arrays
from mnist_lstm.parameters import EvaluationParameters


def predict_test(
    checkpoint: Checkpoint, test_sequences: Arrays, data_card: dict[str, Any], evaluation: EvaluationParameters
) -> Arrays:
    """Classifies every test image: logits (N, K) beside the labels (N,)."""
    expect_data(checkpoint, data_card, test_sequences)
    logits = classify(checkpoint.classifier(), test_sequences["sequences"], evaluation.batch_size)
    return {"logits": logits, "labels": test_sequences["labels"]}


def score(
    predictions: Arrays, data_card: dict[str, Any], evaluation: EvaluationParameters
) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]:
    """Measures the predictions: accuracy with its Wilson interval, loss, per-class scores and confusion matrix.

    The tutorial's own measure, the first 128 test images, stands beside the accuracy on all of them.
    """
    logits, labels, names = predictions["logits"], predictions["labels"], data_card["class_names"]
    about = {"data": f"{len(labels)} test images of {data_card['title']}", "confidence": evaluation.confidence}
    confusion = metrics.confusion_matrix(logits.argmax(axis=1), labels, len(names))
    label, prediction = pd.Index(names, name="label"), pd.Index(names, name="prediction")
    return (
        about | metrics.summarize(logits, labels, evaluation.confidence),
        pd.DataFrame(metrics.per_class(confusion), index=label).reset_index(),
        pd.DataFrame(confusion, index=label, columns=prediction).reset_index(),
    )


def draw(history: pd.DataFrame, predictions: Arrays, data_card: dict[str, Any]) -> tuple[Any, Any]:
    """Draws the learning curves (plotly) and the confusion matrix (matplotlib)."""
    title, names = data_card["title"], data_card["class_names"]
    labels, predicted = predictions["labels"], predictions["logits"].argmax(axis=1)
    columns = {column: history[column].to_numpy() for column in history}
    return (
        plots.learning_curves(columns, f"Learning curves on {title}"),
        plots.confusion_figure(
            metrics.confusion_matrix(predicted, labels, len(names)),
            names,
            f"{(predicted == labels).mean():.2%} of {len(labels)} test images of {title} right",
        ),
    )
