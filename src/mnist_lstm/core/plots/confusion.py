"""The confusion matrix: counts, and percentages of the label's images."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.plots.style import PROBABILITY_MAP, SMALL, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOTE = "in each cell: images, and their share of the row; the colour grows with the square root of the share"
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
    ticks = range(len(class_names))
    axes.set_xticks(ticks, class_names, rotation=45 if max(map(len, class_names)) > 2 else 0)
    axes.set_yticks(ticks, class_names)
    axes.set(xlabel="prediction (class)", ylabel="label (class)")
    figure.colorbar(picture, label="fraction of the label's images", shrink=0.85)
    return figure
