from typing import Any

import numpy as np
import pytest

from mnist_lstm.core import plots
from mnist_lstm.core.beliefs import decision_steps
from tests import tiny
from tests.core.plots.drawings import BY_STEP, RUN, beliefs


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
