from typing import Any

import pytest

from mnist_lstm.core.plots.compared_curves import overlaid_curves
from mnist_lstm.core.plots.style import PALETTE

LONG = {
    "train/loss": [(10, 2.0), (20, 1.5), (30, 1.0)],
    "train/accuracy": [(10, 0.1), (20, 0.5), (30, 0.9)],
    "valid/loss": [(20, 1.6), (30, 1.1)],
    "valid/accuracy": [(20, 0.4), (30, 0.8)],
}
KILLED: dict[str, Any] = {"train/loss": [(10, 2.1)], "train/accuracy": [(10, 0.2)], "valid/loss": []}


@pytest.fixture
def figure() -> dict[str, Any]:
    return overlaid_curves({"a": LONG, "b": KILLED}).to_dict()  # type: ignore[no-any-return]


def test_the_curves_of_each_run_are_drawn_where_they_were_measured(figure: dict[str, Any]) -> None:
    points = [(line["name"], line["xaxis"], list(zip(line["x"], line["y"], strict=True))) for line in figure["data"]]
    assert points == [
        ("a", "x", LONG["train/loss"]),
        ("a", "x", LONG["valid/loss"]),
        ("a", "x2", LONG["train/accuracy"]),
        ("a", "x2", LONG["valid/accuracy"]),
        ("b", "x", KILLED["train/loss"]),
        ("b", "x", []),
        ("b", "x2", KILLED["train/accuracy"]),
        ("b", "x2", []),
    ]


def test_each_run_has_one_colour_and_one_entry_in_the_legend(figure: dict[str, Any]) -> None:
    shown = {line["name"]: line["line"]["color"] for line in figure["data"] if line["showlegend"]}
    assert shown == {"a": PALETTE[0], "b": PALETTE[1]}
    assert all(line["line"]["color"] == shown[line["name"]] for line in figure["data"])


def test_validation_is_thicker_than_training(figure: dict[str, Any]) -> None:
    assert [line["line"]["width"] for line in figure["data"]] == [1, 3] * 4


def test_the_figure_says_what_it_shows(figure: dict[str, Any]) -> None:
    layout = figure["layout"]
    assert layout["title"]["text"] == "thick: validation images; thin: training batches"
    assert [note["text"] for note in layout["annotations"]] == ["Loss (nats)", "Accuracy"]


def test_more_runs_than_colours_are_told_apart_by_dashes() -> None:
    lines = overlaid_curves({str(number): LONG for number in range(2 * len(PALETTE))}).to_dict()["data"]
    assert len({(line["line"]["color"], line["line"]["dash"]) for line in lines}) == 2 * len(PALETTE)


def test_the_loss_on_its_logarithmic_axis_is_a_number_not_a_digit(figure: dict[str, Any]) -> None:
    axis = figure["layout"]["yaxis"]
    assert (axis["type"], axis["tickformat"]) == ("log", ".2~g")
