"""What every printed figure has in common, whatever the images, the classes and the network."""

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any
from unittest import mock

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from mnist_lstm.core.evaluation import metrics
from mnist_lstm.core.plots.by_step import accuracy_by_step_figures
from mnist_lstm.core.plots.calibration import calibration_figure
from mnist_lstm.core.plots.confusion import confusion_difference_figure, confusion_figure
from mnist_lstm.core.plots.images import classes_figure
from mnist_lstm.core.plots.learning_curves import learning_curves_figures
from mnist_lstm.core.plots.style import SMALL
from tests.core.plots.drawings import BY_STEP, HISTORY, RUN, beliefs, mistakes, states
from tests.support import tiny

FIGURES: dict[str, Callable[[], Any]] = {
    "learning curves": lambda: learning_curves_figures(HISTORY, 5000, RUN)[1],
    "accuracy by step": lambda: accuracy_by_step_figures(BY_STEP, 0.95, "rows", RUN)[1],
    "confusion": lambda: confusion_figure(np.array([[5, 1, 0], [0, 3, 0], [0, 0, 0]]), tiny.NAMES, RUN),
    "confusion of 26 classes": lambda: confusion_figure(np.eye(26, dtype=int), [*map(chr, range(97, 123))], RUN),
    "difference of confusions": lambda: confusion_difference_figure(np.eye(3) * [9.0, -12.5, 0], tiny.NAMES, RUN),
    "mistakes": lambda: mistakes(8),
    "classes": lambda: classes_figure(tiny.images(6), np.repeat([0, 1, 2], 2), tiny.NAMES, RUN),
    "no mistake": lambda: mistakes(0),
    "beliefs by row": beliefs,
    "beliefs by row and column": lambda: beliefs("rows_and_columns"),
    "beliefs by pixel": lambda: beliefs("pixels"),
    "beliefs both ways": lambda: beliefs(bidirectional=True),
    "accuracy both ways": lambda: accuracy_by_step_figures(
        {name: values[-1:] for name, values in BY_STEP.items()}, 0.95, "rows", RUN
    )[1],
    "belief in one image": lambda: beliefs(count=1),
    "states by row": states,
    "states by pixel": lambda: states("pixels"),
    "states of a GRU": lambda: states(cell="gru"),
    "states of a plain RNN": lambda: states(cell="rnn"),
    "states both ways": lambda: states(bidirectional=True),
    "states of two layers": lambda: states(layers=2),
    "calibration": lambda: calibration_figure(
        metrics.reliability(tiny.predictions().logits, tiny.labels(20), metrics.BINS), 0.95, RUN
    ),
}


def drawn(figure: Any) -> tuple[list[tuple[str, Bbox]], set[float]]:
    """Draws a figure: each line of text with the box of pixels that it fills, and the sizes of text in points."""
    lines: list[tuple[str, Bbox]] = []
    sizes: set[float] = set()

    def look(text: Text, renderer: Any) -> None:
        if text.get_visible() and text.get_text().strip():
            sizes.add(float(text.get_fontsize()))
            lines.extend(lines_of(text.get_text(), text.get_window_extent(renderer), text.get_rotation()))

    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # finds the layout
    with mock.patch.object(Text, "draw", look):
        canvas.draw()
    return lines, sizes


def lines_of(text: str, box: Bbox, rotation: float) -> Iterator[tuple[str, Bbox]]:
    """The box of each line of level text; any other text as a whole."""
    lines = [text] if rotation else text.split("\n")
    height = box.height / len(lines)
    for number, line in enumerate(lines):
        if line.strip():
            yield line, Bbox.from_extents(box.x0, box.y1 - (number + 1) * height, box.x1, box.y1 - number * height)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_names_its_run_and_its_axes_and_nothing_in_it_is_cut_off_tiny_or_on_another(name: str) -> None:
    figure = FIGURES[name]()
    lines, sizes = drawn(figure)
    assert RUN in figure.get_suptitle()
    assert min(sizes) >= SMALL
    whole = figure.bbox
    for line, box in lines:
        assert whole.x0 <= box.x0 < box.x1 <= whole.x1, line
        assert whole.y0 <= box.y0 < box.y1 <= whole.y1, line
    for (one, box), (other, below) in combinations(lines, 2):
        assert not box.padded(-1.5).overlaps(below.padded(-1.5)), (one, other)
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            numbers = [label for label in axis.get_ticklabels() if label.get_visible() and label.get_text()]
            assert axis.get_label_text() or not numbers or not axes.axison
    boxes = [axes.get_window_extent().padded(-1) for axes in figure.axes if axes.axison]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
