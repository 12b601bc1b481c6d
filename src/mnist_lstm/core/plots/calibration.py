"""The reliability diagram: is the network right as often as it is sure?"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.evaluation.metrics import expected_calibration_error, percent, wilson_interval
from mnist_lstm.core.plots.style import BLUE, GREY, SMALL, VERMILLION, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Bins = dict[str, NDArray[Any]]


def calibration_figure(bins: Bins, confidence: float, title: str) -> "Figure":
    """Accuracy by predicted probability, and the number of images in each bin.

    Args:
        bins: as `evaluation.metrics.reliability` gives them.
        confidence: of the whiskers, a fraction.

    Source: Guo et al. 2017, https://proceedings.mlr.press/v70/guo17a.html.
    """
    error = expected_calibration_error(bins)
    note = (
        f"expected calibration error {error:.4f} in {len(bins['images'])} bins of equal width; "
        f"whiskers: {percent(confidence)} Wilson interval"
    )
    figure = new_figure(6.15, title, note)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    _accuracies(above, bins, confidence)
    below.bar(bins["low"], bins["images"], bins["high"] - bins["low"], align="edge", color=GREY, edgecolor="white")
    below.set(xlabel="probability of the predicted class", ylabel="answers", yscale="log", xlim=(0, 1))
    below.set_ylim(bottom=0.5)
    below.yaxis.set_major_formatter("{x:,.0f}")
    below.yaxis.set_minor_formatter("")
    for axes in (above, below):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _accuracies(axes: "Axes", bins: Bins, confidence: float) -> None:
    filled = bins["images"] > 0
    correct, images, low_edges = (bins[name][filled] for name in ("correct", "images", "low"))
    accuracy = correct / images
    intervals = [wilson_interval(int(k), int(n), confidence) for k, n in zip(correct, images, strict=True)]
    low, high = np.array(intervals).T
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="right as often as sure")
    axes.bar(low_edges, accuracy, bins["high"][filled] - low_edges, align="edge", color=BLUE, alpha=0.35)
    axes.errorbar(
        bins["confidence"][filled],
        accuracy,
        yerr=np.abs([accuracy - low, high - accuracy]),
        fmt="o",
        color=VERMILLION,
        capsize=3,
        label="measured, at the bin's mean probability",
    )
    axes.set(ylabel="accuracy (fraction right)", ylim=(0, 1.02))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=SMALL, frameon=False)
