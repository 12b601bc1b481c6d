"""The numbers of a figure are those that it was given."""

from typing import Any

import numpy as np
import pytest

from mnist_lstm.core import plots
from mnist_lstm.core.beliefs import decision_steps
from mnist_lstm.core.gates import lstm_states
from mnist_lstm.core.metrics import expected_calibration_error, reliability
from tests import tiny
from tests.core.plots.test_figures import BY_STEP, HISTORY, RUN, beliefs, mistakes, states


def test_a_cell_of_the_confusion_matrix_has_its_count_and_its_share_of_the_row() -> None:
    counts = np.array([[990, 9, 1], [0, 0, 3], [0, 0, 0]])
    axes = plots.confusion_figure(counts, ["a", "b", "c"], RUN).axes[0]
    written = {text.get_position()[::-1]: text.get_text() for text in axes.texts}
    assert written == {(0, 0): "990\n99%", (0, 1): "9\n0.9%", (0, 2): "1\n0.1%", (1, 2): "3\n100%"}


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


def test_the_interactive_accuracy_names_its_run_and_axes() -> None:
    layout = plots.accuracy_by_step_figure(BY_STEP, "columns", RUN).to_dict()["layout"]
    assert layout["title"]["text"] == f"Accuracy by columns read: {RUN}"
    assert layout["xaxis"]["title"]["text"] == "columns read"
    assert layout["yaxis"]["title"]["text"] == "fraction of test images"


def test_each_belief_stands_beside_its_image() -> None:
    examples = tiny.examples()
    pairs = np.array(beliefs().axes[:12]).reshape(-1, 2)
    for (image, belief), shown, believed in zip(pairs, examples["images"], examples["beliefs"], strict=True):
        np.testing.assert_array_equal(image.images[0].get_array(), shown)
        np.testing.assert_array_equal(belief.images[0].get_array(), believed)
        assert belief.images[0].get_clim() == (0, 1)


def frame(axes: Any) -> tuple[float, float]:
    """From where to where the frame goes, along the axis on which it is not endless."""
    (patch,) = axes.patches
    low, high = patch.get_extents().transformed(axes.transData.inverted()).intervaly
    return float(low), float(high)


def test_the_frame_stands_at_the_row_of_the_decision_in_image_and_belief() -> None:
    examples = tiny.examples()
    decided = decision_steps(examples["beliefs"].argmax(axis=-1))
    pairs = np.array(beliefs().axes[:12]).reshape(-1, 2)
    assert len(set(decided)) > 1
    for pair, step in zip(pairs, decided, strict=True):
        for axes in pair:
            assert sorted(frame(axes)) == pytest.approx([step - 0.5, step + 0.5])
        assert f"decided at row {step}" in pair[0].get_title(loc="left")


def test_a_view_without_a_place_in_the_image_has_a_frame_in_the_belief_only() -> None:
    pairs = np.array(beliefs("pixels").axes[:12]).reshape(-1, 2)
    assert not any(image.patches for image in pairs[:, 0])
    assert all(len(belief.patches) == 1 for belief in pairs[:, 1])
    assert pairs[0, 1].get_ylabel() == "time step"


def test_the_beliefs_say_that_the_network_was_trained_on_its_last_output_only() -> None:
    for figure in (beliefs(), plots.accuracy_by_step_print(BY_STEP, "rows", RUN)):
        assert "trained on its last output only" in figure.get_supxlabel()


@pytest.mark.parametrize("layers", [1, 2])
def test_gates_and_states_are_those_of_a_right_and_a_wrong_example(layers: int) -> None:
    inner = lstm_states(tiny.classifier(layers), tiny.images(6))
    examples = tiny.examples()
    right = examples["beliefs"][:, -1].argmax(axis=-1) == examples["labels"]
    rows = np.array(states(layers=layers).axes[:12]).reshape(2, 6)
    for row, kind in zip(rows, (right, ~right), strict=True):
        position = np.flatnonzero(kind)[kind.sum() // 2]
        np.testing.assert_array_equal(row[0].images[0].get_array(), examples["images"][position])
        for axes, (name, values) in zip(row[1:], inner.items(), strict=True):
            np.testing.assert_array_equal(axes.images[0].get_array(), values[position])
            assert axes.get_title().strip() == name


def test_a_mistake_has_its_class_what_it_was_called_how_surely_and_where_it_is_found() -> None:
    axes = mistakes(8).axes[0]
    label = tiny.labels(8)[0]
    sure = np.exp(1) / (np.exp(1) + 2)
    assert axes.get_title() == f"is {tiny.NAMES[(label + 1) % 3]}"
    assert axes.get_xlabel() == f"called {tiny.NAMES[label]}\n{sure:.1%} sure\nimage 0"


def test_where_there_is_no_mistake_the_figure_says_so() -> None:
    assert "not one image was wrong" in {text.get_text() for text in mistakes(0).texts}


def test_the_reliability_diagram_shows_each_filled_bin_and_says_error_and_bins() -> None:
    bins = reliability(tiny.predictions()["logits"], tiny.labels(20), 10)
    figure: Any = plots.calibration_figure(bins, 0.95, RUN)
    filled = bins["images"] > 0
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    np.testing.assert_allclose(heights, bins["correct"][filled] / bins["images"][filled])
    assert [bar.get_height() for bar in figure.axes[1].patches] == bins["images"].tolist()
    assert f"{expected_calibration_error(bins):.4f} in 10 bins" in figure.get_supxlabel()
