"""Figures of the tiny network, for the tests to look at."""

from typing import Any

import numpy as np

from mnist_lstm.core.evaluation.gates import states as inner_states
from mnist_lstm.core.plots.by_step import beliefs_figure
from mnist_lstm.core.plots.gates import states_figure
from mnist_lstm.core.plots.images import mistakes_figure
from tests.support import tiny

RUN = "lstm5 rows s1 on Tiny"
HISTORY = {
    "iteration": np.array([10, 20]),
    "train_loss": np.array([2.0, 1.0]),
    "train_accuracy": np.array([0.1, 0.9]),
    "valid_loss": np.array([np.nan, 1.1]),
    "valid_accuracy": np.array([np.nan, 0.8]),
}
ACCURACY = np.linspace(0.1, 0.9, 6)
BY_STEP: dict[str, Any] = {
    "step": np.arange(1, 7),
    "accuracy": ACCURACY,
    "accuracy_low": ACCURACY - 0.02,
    "accuracy_high": ACCURACY + 0.03,
    "decided": np.linspace(0, 1, 6),
}


def mistakes(count: int) -> Any:
    logits = np.eye(3)[tiny.labels(count)]
    return mistakes_figure(tiny.images(count), np.arange(count), logits, (logits.argmax(1) + 1) % 3, tiny.NAMES, RUN)


def beliefs(view: str = "rows", count: int = 6, **changes: Any) -> Any:
    examples = tiny.examples(view, **changes)
    few = {name: part[:count] for name, part in examples.items()} | {"order": examples["order"]}
    return beliefs_figure(few, tiny.NAMES, view, RUN)


def states(view: str = "rows", layers: int = 1, **changes: Any) -> Any:
    examples = tiny.examples(view, layers=layers, **changes)
    classifier = tiny.classifier(layers, examples["sequences"].shape[-1], **changes)
    inner = inner_states(classifier, examples["sequences"])
    return states_figure(examples, inner, tiny.NAMES, classifier.readout.in_features, view, RUN)
