from typing import Any

import numpy as np
import pytest

from mnist_lstm.core.data.sequences import VIEWS
from mnist_lstm.core.evaluation.by_step import decision_steps
from mnist_lstm.core.plots.by_step import accuracy_by_step_figures
from tests.core.plots.drawings import BY_STEP, RUN, beliefs
from tests.support import tiny


def test_the_interactive_accuracy_names_its_run_and_axes() -> None:
    layout = accuracy_by_step_figures(BY_STEP, 0.95, "columns", RUN)[0]["layout"]
    assert layout["title"]["text"] == f"Accuracy by columns read<br>{RUN}"
    assert layout["xaxis"]["title"]["text"] == "columns read"
    assert layout["yaxis"]["title"]["text"] == "fraction of the test set"


def test_each_belief_stands_beside_its_image() -> None:
    examples = tiny.examples()
    pairs = np.array(beliefs().axes[:12]).reshape(-1, 2)
    for (image, belief), shown, believed in zip(pairs, examples["images"], examples["beliefs"], strict=True):
        np.testing.assert_array_equal(image.images[0].get_array(), shown)
        np.testing.assert_array_equal(belief.images[0].get_array(), believed)
        assert belief.images[0].get_clim() == (0, 1)


def frame(axes: Any) -> tuple[float, float]:
    """From where to where the frame goes, downwards."""
    if axes.collections:
        (lines,) = axes.collections
        ends = [y for line in lines.get_segments() for _, y in line]
        return min(ends), max(ends)
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


@pytest.mark.parametrize("view", VIEWS)
def test_the_pixels_read_at_the_decision_are_framed_and_no_others(view: str) -> None:
    examples = tiny.examples(view)
    decided = decision_steps(examples["beliefs"].argmax(axis=-1))
    images = beliefs(view).axes[:12:2]
    for axes, step in zip(images, decided, strict=True):
        (lines,) = axes.collections
        found = {tuple(sorted((tuple(one), tuple(other)))) for one, other in lines.get_segments()}
        expected: set[Any] = set()
        for position in np.unique(examples["order"][step - 1]).tolist():
            y, x = divmod(position, tiny.WIDTH)
            corners = [(x + 0.5, y + 0.5), (x + 1.5, y + 0.5), (x + 1.5, y + 1.5), (x + 0.5, y + 1.5)]
            for one, other in zip(corners, [*corners[1:], corners[0]], strict=True):
                expected ^= {tuple(sorted((one, other)))}  # a side that two framed pixels share is no border
        assert found == expected


def test_a_network_that_reads_both_ways_has_a_belief_at_the_end_and_no_decision() -> None:
    figure = beliefs(bidirectional=True)
    pairs = np.array(figure.axes[:12]).reshape(-1, 2)
    for (image, belief), believed in zip(pairs, tiny.examples(bidirectional=True)["beliefs"], strict=True):
        assert not image.collections
        assert not belief.patches
        assert "decided" not in image.get_title(loc="left")
        np.testing.assert_array_equal(belief.images[0].get_array(), believed)
    assert "bidirectional network sees everything" in " ".join(figure.get_supxlabel().split())


def test_the_beliefs_say_that_the_network_was_not_trained_for_them() -> None:
    for figure in (beliefs(), accuracy_by_step_figures(BY_STEP, 0.95, "rows", RUN)[1]):
        assert "trained to answer after the last row only" in " ".join(figure.get_supxlabel().split())
