"""Learning curves: loss and accuracy by update."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.plots.lines import Line, Panel, interactive, printed
from mnist_lstm.core.plots.style import BLUE, VERMILLION

if TYPE_CHECKING:
    from matplotlib.figure import Figure

History = dict[str, NDArray[Any]]


def learning_curves_interactive(history: History, images: int, title: str) -> dict[str, Any]:
    """Loss and accuracy by update, for training batches and validation images, to hover and zoom.

    Args:
        history: columns iteration, train_loss, train_accuracy, valid_loss, valid_accuracy (nan where not measured).
    """
    return interactive(_panels(history, images), title)


def learning_curves_figure(history: History, images: int, title: str) -> "Figure":
    """The same curves to print."""
    return printed(_panels(history, images), title)


def _panels(history: History, images: int) -> list[Panel]:
    axes = {"loss": "cross-entropy (nats)", "accuracy": "accuracy (fraction right)"}
    splits = {"train": ("training batch", BLUE), "valid": (f"validation ({images:,})", VERMILLION)}
    return [
        Panel("update", label, [_line(history, split, measure, *splits[split]) for split in splits])
        for measure, label in axes.items()
    ]


def _line(history: History, split: str, measure: str, name: str, colour: str) -> Line:
    values = history[f"{split}_{measure}"]
    measured = ~np.isnan(values)
    return Line(name, history["iteration"][measured], values[measured], colour, strong=split == "valid")
