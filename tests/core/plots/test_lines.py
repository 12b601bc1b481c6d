from typing import Any

import numpy as np
import pytest

from mnist_lstm.core.plots.by_step import accuracy_by_step_figures
from mnist_lstm.core.plots.learning_curves import learning_curves_figures
from tests.core.plots.drawings import BY_STEP, HISTORY, RUN


def test_the_interactive_and_the_printed_curves_show_the_same_points() -> None:
    for interactive, printed in (
        learning_curves_figures(HISTORY, 5000, RUN),
        accuracy_by_step_figures(BY_STEP, 0.95, "rows", RUN),
    ):
        hovered = [(line["name"], line["x"], line["y"]) for line in interactive["data"]]
        drawn = [
            (line.get_label(), list(np.array(line.get_xdata())), list(np.array(line.get_ydata())))
            for axes in printed.axes
            for line in axes.lines
        ]
        assert hovered == drawn


def test_the_accuracy_by_step_has_its_interval_as_a_band_and_in_numbers() -> None:
    interactive, printed = accuracy_by_step_figures(BY_STEP, 0.9, "rows", RUN)
    (band,) = printed.axes[0].collections
    low, high = band.get_datalim(printed.axes[0].transData).intervaly
    assert (low, high) == pytest.approx((BY_STEP["accuracy_low"].min(), BY_STEP["accuracy_high"].max()))
    right, final = interactive["data"]
    np.testing.assert_allclose(np.add(right["y"], right["error_y"]["array"]), BY_STEP["accuracy_high"])
    np.testing.assert_allclose(np.subtract(right["y"], right["error_y"]["arrayminus"]), BY_STEP["accuracy_low"])
    assert not final["error_y"]
    assert right["name"] == "answer right (accuracy, with its 90% interval)"


def test_an_accuracy_when_all_is_read_has_its_interval_too_and_stands_at_the_last_of_all_steps() -> None:
    last = {name: values[-1:] for name, values in BY_STEP.items()}
    figure: Any = accuracy_by_step_figures(last, 0.95, "rows", RUN)[1]
    (lines,) = [drawn for drawn in figure.axes[0].collections if hasattr(drawn, "get_segments")]
    np.testing.assert_allclose(lines.get_segments()[0][:, 1], [last["accuracy_low"][0], last["accuracy_high"][0]])
    figure.draw_without_rendering()
    assert figure.axes[0].get_xlim() == (0.5, 6.5)
    assert all(float(tick).is_integer() for tick in figure.axes[0].get_xticks())
    assert figure.get_suptitle().startswith("Accuracy when all is read\n")


def test_steps_and_updates_are_numbered_by_whole_numbers_and_a_unit_stands_on_its_axis_once() -> None:
    for _, figure in (
        learning_curves_figures(HISTORY, 5000, RUN),
        accuracy_by_step_figures(BY_STEP, 0.95, "rows", RUN),
    ):
        figure.draw_without_rendering()
        for axes in figure.axes:
            assert all(float(tick).is_integer() for tick in axes.get_xticks())
            said = f"{axes.get_title()} {axes.get_ylabel()}"
            assert said.count("nats") == ("cross-entropy" in said)
