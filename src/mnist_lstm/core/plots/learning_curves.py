"""Learning curves: loss and accuracy by update."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.plots.lines import Line, Panel, interactive, printed
from mnist_lstm.core.plots.style import BLUE, VERMILLION

if TYPE_CHECKING:
    from matplotlib.figure import Figure

History = dict[str, NDArray[Any]]


def learning_curves_figures(history: History, images: int, title: str) -> tuple[dict[str, Any], "Figure"]:
    """Loss and accuracy by update, for training batches and validation images: interactive and printed.

    Args:
        history: columns iteration, train_loss, train_accuracy, valid_loss, valid_accuracy (nan where not measured).
    """
    axes = {"loss": "cross-entropy (nats)", "accuracy": "accuracy (fraction right)"}
    splits = {"train": ("training batch", BLUE), "valid": (f"validation ({images:,})", VERMILLION)}
    panels = [
        Panel("update", label, [_line(history, split, measure, *splits[split]) for split in splits])
        for measure, label in axes.items()
    ]
    return interactive(panels, title), printed(panels, title)


def _line(history: History, split: str, measure: str, name: str, colour: str) -> Line:
    values = history[f"{split}_{measure}"]
    measured = ~np.isnan(values)
    return Line(name, history["iteration"][measured], values[measured], colour, strong=split == "valid")
