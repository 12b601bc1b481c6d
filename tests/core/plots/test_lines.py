import numpy as np

from mnist_lstm.core import plots
from tests.core.plots.drawings import BY_STEP, HISTORY, RUN


def test_the_interactive_and_the_printed_curves_show_the_same_points() -> None:
    for interactive, printed in (
        (plots.learning_curves(HISTORY, RUN), plots.learning_curves_print(HISTORY, RUN)),
        (plots.accuracy_by_step_figure(BY_STEP, "rows", RUN), plots.accuracy_by_step_print(BY_STEP, "rows", RUN)),
    ):
        hovered = [(line.name, list(line.x), list(line.y)) for line in interactive.data]
        drawn = [
            (line.get_label(), list(np.array(line.get_xdata())), list(np.array(line.get_ydata())))
            for axes in printed.axes
            for line in axes.lines
        ]
        assert hovered == drawn
