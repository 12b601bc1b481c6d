"""The confusion matrix: counts, and percentages of the label's images."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.plots.style import PROBABILITY_MAP, SIGNED_MAP, SMALL, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NOTE = "in each cell: their number, and their share of the row; the colour grows with the square root of the share"
MOST_WRITTEN = 20  # classes; beyond, the cells are too small for numbers


def confusion_figure(confusion: NDArray[np.int64], class_names: list[str], title: str) -> "Figure":
    """Counts (K, K) of images by label (row) and prediction (column), with and coloured by the share of the row."""
    from matplotlib.colors import PowerNorm

    figure = new_figure(7.55, title, NOTE)
    axes = figure.add_subplot()
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    # a good network's mistakes are a few in a hundred: a linear scale would leave them white
    picture = axes.imshow(shares, cmap=PROBABILITY_MAP, norm=PowerNorm(0.5, vmin=0, vmax=1))
    if len(confusion) <= MOST_WRITTEN:
        for (row, column), count in np.ndenumerate(confusion):
            if count:
                share = shares[row, column]
                text, colour = f"{count}\n{share:.{1 if share < 0.0995 else 0}%}", "white" if share > 0.28 else "black"
                axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=SMALL, linespacing=1.1)
    _name_axes(axes, class_names)
    figure.colorbar(picture, label="fraction of the label", shrink=0.85)
    return figure


def confusion_difference_figure(difference: NDArray[np.floating[Any]], class_names: list[str], title: str) -> "Figure":
    """How many more images one confusion matrix (K, K) has in each cell than another; means of seeds have halves."""
    from matplotlib.colors import FuncNorm

    figure = new_figure(7.55, title, "on the diagonal more is better, elsewhere less; of seeds, the means")
    axes = figure.add_subplot()
    largest = max(1.0, float(np.abs(difference).max()))
    # most differences are few images, some are many
    norm = FuncNorm((_signed_root, lambda root: root * np.abs(root)), vmin=-largest, vmax=largest)
    picture = axes.imshow(difference, cmap=SIGNED_MAP, norm=norm)
    if len(difference) <= MOST_WRITTEN:
        for (row, column), value in np.ndenumerate(difference):
            if value:
                colour = "white" if abs(norm(value) - 0.5) > 0.35 else "black"
                text = f"{value:+.0f}" if value == round(value) or abs(value) >= 10 else f"{value:+.1f}"
                axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=SMALL)
    _name_axes(axes, class_names)
    figure.colorbar(picture, label="difference (images)", shrink=0.85)
    return figure


def _signed_root(value: NDArray[Any]) -> NDArray[Any]:
    return np.sign(value) * np.sqrt(np.abs(value))  # type: ignore[no-any-return]


def _name_axes(axes: "Axes", class_names: list[str]) -> None:
    ticks = range(len(class_names))
    axes.set_xticks(ticks, class_names, rotation=45 if max(map(len, class_names)) > 2 else 0)
    axes.set_yticks(ticks, class_names)
    axes.set(xlabel="prediction (class)", ylabel="label (class)")
