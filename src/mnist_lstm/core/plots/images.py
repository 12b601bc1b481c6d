"""Images in a grid: a first look at the data, and the most confident mistakes."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.evaluation.metrics import log_probabilities
from mnist_lstm.core.plots.style import SMALL, VERMILLION, new_figure, show

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MISTAKE_COLUMNS = 6
CLASS_COLUMNS = 8
LONGEST = 10  # characters of a class name above an image


def image_grid(images: NDArray[np.uint8], labels: list[str], title: str, columns: int = 10) -> "Figure":
    """The images (N, height, width), dark on light, each under its label."""
    from matplotlib.figure import Figure

    rows = -(-len(images) // columns)
    figure = Figure(figsize=(columns * 0.9, rows * 1.15 + 0.5), layout="constrained")
    figure.suptitle(title)
    for position, axes in enumerate(np.ravel(figure.subplots(rows, columns, squeeze=False))):
        axes.axis("off")
        if position < len(images):
            show(axes, images[position])
            axes.set_title(labels[position], fontsize=10)
    return figure


def shortened(name: str) -> str:
    """The beginning of a long name."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def classes_figure(images: NDArray[Any], labels: NDArray[np.uint8], class_names: list[str], title: str) -> "Figure":
    """Some images (N, height, width) of each class under its name, to see that they lie as they should."""
    rows = max(1, -(-len(images) // CLASS_COLUMNS))
    figure = new_figure(1.0 * rows + 0.65, title)
    grid = np.ravel(figure.subplots(rows, CLASS_COLUMNS, squeeze=False))
    for axes in grid[len(images) :]:
        axes.axis("off")
    for axes, image, label in zip(grid, images, labels, strict=False):
        show(axes, image)
        axes.set(xticks=[], yticks=[])
        axes.set_title(shortened(class_names[label]), fontsize=SMALL)
    return figure


def mistakes_figure(
    images: NDArray[np.uint8],
    positions: NDArray[np.int64],
    logits: NDArray[Any],
    labels: NDArray[np.uint8],
    class_names: list[str],
    title: str,
) -> "Figure":
    """Wrongly classified images, each with class, predicted class and probability; a line where there is none.

    Args:
        images: uint8 (N, height, width).
        positions: in the test set, (N,).
        logits: (N, K).
    """
    rows = max(1, -(-len(images) // MISTAKE_COLUMNS))
    figure = new_figure(2.0 * rows + 0.65, title)
    grid = np.ravel(figure.subplots(rows, MISTAKE_COLUMNS))
    for axes in grid[len(images) :]:
        axes.axis("off")
    for axes, image, position, answer, label in zip(grid, images, positions, logits, labels, strict=False):
        sure = np.exp(log_probabilities(answer[None])).max()
        show(axes, image)
        axes.set(xticks=[], yticks=[])
        axes.set_title(f"is {class_names[label]}", fontsize=SMALL)
        surely = "over 99.9%" if sure > 0.9995 else f"{sure:.1%}"
        called = f"called {class_names[answer.argmax()]}\n{surely} sure\nnumber {position}"
        axes.set_xlabel(called, fontsize=SMALL, color=VERMILLION)
    if len(images) == 0:
        figure.text(0.5, 0.45, "no mistake", ha="center", va="center")
    return figure
