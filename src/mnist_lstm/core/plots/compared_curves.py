"""The learning curves of several groups of runs in one figure; runs that differ in the seed alone are a band."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mnist_lstm.core.plots.lines import Line, Panel, printed
from mnist_lstm.core.plots.style import PALETTE

if TYPE_CHECKING:  # importing it takes longer than drawing
    from matplotlib.figure import Figure

DASHES = ("-", "--", ":")  # the next where there are more groups than colours
COLOURS = PALETTE
MOST_WITH_TRAINING = 3  # groups; more curves of batches hide each other
NOTE = "Thick: validation images; {thin}a band reaches from the lowest to the highest seed around the mean."

# Of one run: (update, value) of each curve, by the names "train/loss", "valid/accuracy" and so on
Curves = Mapping[str, Sequence[tuple[int, float]]]


def compared_curves(groups: Mapping[str, Sequence[Curves]]) -> "Figure":
    """Loss and accuracy by update, a colour for each group.

    Args:
        groups: the curves of each group's runs by its name in the legend; they may be of different length, or empty.
    """
    training = len(groups) <= MOST_WITH_TRAINING
    panels = [Panel("update", label) for label in ("loss (nats)", "accuracy (fraction right)")]
    for position, (name, runs) in enumerate(groups.items()):
        style = COLOURS[position % len(COLOURS)], DASHES[position // len(COLOURS) % len(DASHES)]
        for panel, measure in zip(panels, ("loss", "accuracy"), strict=True):
            if training and len(runs) == 1:
                panel.lines.append(_line("_", runs, f"train/{measure}", *style, strong=False))
            panel.lines.append(_line(name, runs, f"valid/{measure}", *style, strong=True))
    thin = "thin: training batches; " if training and any(len(runs) == 1 for runs in groups.values()) else ""
    figure = printed(panels, "", NOTE.format(thin=thin), legend_columns=len(groups))
    loss = figure.axes[0]
    if any((line.y > 0).any() for line in panels[0].lines):
        loss.set_yscale("log")
    loss.autoscale(axis="y")  # the range of the linear axis may begin below zero
    for numbered in (loss.yaxis.set_major_formatter, loss.yaxis.set_minor_formatter):
        numbered(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "1246" else "")  # 0.4 rather than 4 x 10^-1
    return figure


def _line(name: str, runs: Sequence[Curves], curve: str, colour: str, dash: str, strong: bool) -> Line:
    """The mean of the runs at the updates that all have."""
    each = [dict(run.get(curve, ())) for run in runs]
    updates = sorted(set.intersection(*(set(points) for points in each)))
    values = np.array([[points[update] for update in updates] for points in each])  # (runs, updates)
    interval = (values.min(axis=0), values.max(axis=0)) if len(runs) > 1 else None
    return Line(name, np.array(updates), values.mean(axis=0), colour, strong, interval, dash)
