from typing import Any

import numpy as np
import pytest
from plotly.graph_objects import Figure

from mnist_lstm.core.plots.learning_curves import learning_curves_figures


@pytest.fixture
def curves() -> dict[str, Any]:
    """The figure of a run of 30 updates, validated at the 20th and 30th, as plotly reads it."""
    history = {
        "iteration": np.array([10, 20, 30]),
        "train_loss": np.array([2.0, 1.5, 1.0]),
        "train_accuracy": np.array([0.1, 0.5, 0.9]),
        "valid_loss": np.array([np.nan, 1.6, 1.1]),
        "valid_accuracy": np.array([np.nan, 0.4, 0.8]),
    }
    interactive, _ = learning_curves_figures(history, 5000, "Learning curves on bars")
    return Figure(interactive).to_dict()  # type: ignore[no-any-return]  # plotly refuses unknown keys


def test_learning_curves_say_what_they_show(curves: dict[str, Any]) -> None:
    layout = curves["layout"]
    assert layout["title"]["text"] == "Learning curves on bars"
    axes = (layout[axis]["title"]["text"] for axis in ("yaxis", "yaxis2"))
    assert list(axes) == ["cross-entropy (nats)", "accuracy (fraction right)"]
    assert layout["xaxis"]["title"]["text"] == layout["xaxis2"]["title"]["text"] == "update"


def test_learning_curves_draw_each_measure_where_it_was_measured_and_nowhere_else(curves: dict[str, Any]) -> None:
    points = [(line["name"], line["xaxis"], list(line["x"]), list(line["y"])) for line in curves["data"]]
    assert points == [
        ("training batch", "x", [10, 20, 30], [2.0, 1.5, 1.0]),
        ("validation (5,000)", "x", [20, 30], [1.6, 1.1]),
        ("training batch", "x2", [10, 20, 30], [0.1, 0.5, 0.9]),
        ("validation (5,000)", "x2", [20, 30], [0.4, 0.8]),
    ]


def test_learning_curves_name_each_colour_once(curves: dict[str, Any]) -> None:
    shown = [line["name"] for line in curves["data"] if line["showlegend"]]
    colours = {(line["name"], line["line"]["color"]) for line in curves["data"]}
    assert sorted(shown) == sorted(name for name, _ in colours)
    assert len({colour for _, colour in colours}) == 2
