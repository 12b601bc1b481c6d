from typing import Any

import numpy as np
import pytest

from mnist_lstm.core.plots.compared_curves import MOST_WITH_TRAINING, compared_curves
from mnist_lstm.core.plots.style import PALETTE

LONG = {
    "train/loss": [(10, 2.0), (20, 1.5), (30, 1.0)],
    "train/accuracy": [(10, 0.1), (20, 0.5), (30, 0.9)],
    "valid/loss": [(20, 1.6), (30, 1.1)],
    "valid/accuracy": [(20, 0.4), (30, 0.8)],
}
OTHER_SEED = LONG | {"valid/accuracy": [(20, 0.5), (30, 0.6), (40, 0.7)]}
KILLED: dict[str, Any] = {"train/loss": [(10, 2.1)], "train/accuracy": [(10, 0.2)], "valid/loss": []}


def points(axes: Any) -> list[tuple[str, float, list[tuple[int, float]]]]:
    return [
        (line.get_label(), line.get_linewidth(), [*zip(line.get_xdata(), line.get_ydata(), strict=True)])
        for line in axes.get_lines()
    ]


def test_the_curves_of_each_run_are_drawn_where_they_were_measured() -> None:
    loss, accuracy = compared_curves({"a": [LONG], "b": [KILLED]}).axes
    assert [found for _, _, found in points(loss)] == [LONG["train/loss"], LONG["valid/loss"], [(10, 2.1)], []]
    assert points(accuracy)[1] == ("a", 2, LONG["valid/accuracy"])
    assert (loss.get_yscale(), accuracy.get_yscale()) == ("log", "linear")


def test_the_losses_fill_their_logarithmic_axis_and_runs_without_curves_are_drawn_as_nothing() -> None:
    falling = {"train/loss": [(10, 2.3), (20, 0.05)], "valid/loss": [(20, 0.1)]}
    low, high = compared_curves({"a": [falling], "evaluated alone": [{}]}).axes[0].get_ylim()
    assert 0.03 < low < 0.05 < 2.3 < high < 4
    figure = compared_curves({"a": [{}], "b": [{}]})
    figure.canvas.draw()  # a logarithmic axis without values cannot be
    assert all(not xy for axes in figure.axes for _, _, xy in points(axes))


def test_seeds_are_their_mean_at_the_updates_that_all_have_and_a_band_from_lowest_to_highest() -> None:
    _, accuracy = compared_curves({"seeds": [LONG, OTHER_SEED]}).axes
    ((name, _, found),) = points(accuracy)
    assert name == "seeds"
    np.testing.assert_allclose(found, [(20, 0.45), (30, 0.7)])
    (band,) = accuracy.collections
    corners = {(float(x), round(float(y), 6)) for x, y in np.asarray(band.get_paths()[0].vertices)}
    assert corners == {(20, 0.4), (20, 0.5), (30, 0.6), (30, 0.8)}


@pytest.mark.parametrize(("groups", "lines"), [(MOST_WITH_TRAINING, 2), (MOST_WITH_TRAINING + 1, 1)])
def test_training_batches_are_drawn_where_few_curves_leave_room(groups: int, lines: int) -> None:
    figure = compared_curves({str(number): [LONG] for number in range(groups)})
    assert len(figure.axes[0].get_lines()) == groups * lines
    assert ("thin: training batches" in figure.get_supxlabel()) == (lines == 2)


def test_ten_groups_are_in_the_legend_and_the_loss_is_written_out() -> None:
    figure = compared_curves({letter: [LONG] for letter in "ABCDEFGHIJ"})
    figure.draw_without_rendering()
    loss: Any = figure.axes[0]
    boxes = [text.get_window_extent() for text in loss.get_legend().get_texts()]
    assert len({round(box.y0) for box in boxes}) == 1  # a second row would lie above the figure
    assert max(box.x1 for box in boxes) <= figure.bbox.x1
    assert "1.5" in [tick.get_text() for tick in loss.yaxis.get_minorticklabels()]
    many: Any = compared_curves({str(number): [LONG] for number in range(2 * len(PALETTE))})
    drawn = many.axes[0].get_legend().get_lines()  # told apart by dashes where there are too few colours
    assert len({(line.get_color(), line.get_linestyle()) for line in drawn}) == 2 * len(PALETTE)
