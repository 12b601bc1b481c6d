import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_lstm.core.plots import confusion_figure, image_grid, learning_curves

CONFUSION = np.array([[8, 2, 0], [1, 0, 3], [0, 0, 0]])


@pytest.fixture
def curves() -> dict[str, Any]:
    """The figure of a run of 30 updates, validated at the 20th and 30th, as the dict that plotly writes."""
    history = {
        "iteration": np.array([10, 20, 30]),
        "train_loss": np.array([2.0, 1.5, 1.0]),
        "train_accuracy": np.array([0.1, 0.5, 0.9]),
        "valid_loss": np.array([np.nan, 1.6, 1.1]),
        "valid_accuracy": np.array([np.nan, 0.4, 0.8]),
    }
    return learning_curves(history, "Learning curves on bars").to_dict()  # type: ignore[no-any-return]


def test_learning_curves_say_what_they_show(curves: dict[str, Any]) -> None:
    layout = curves["layout"]
    assert layout["title"]["text"] == "Learning curves on bars"
    assert [note["text"] for note in layout["annotations"]] == ["Loss (nats)", "Accuracy"]
    assert layout["xaxis"]["title"]["text"] == layout["xaxis2"]["title"]["text"] == "update"


def test_learning_curves_draw_each_measure_where_it_was_measured_and_nowhere_else(curves: dict[str, Any]) -> None:
    points = [(line["name"], line["xaxis"], list(line["x"]), list(line["y"])) for line in curves["data"]]
    assert points == [
        ("training batch", "x", [10, 20, 30], [2.0, 1.5, 1.0]),
        ("validation images", "x", [20, 30], [1.6, 1.1]),
        ("training batch", "x2", [10, 20, 30], [0.1, 0.5, 0.9]),
        ("validation images", "x2", [20, 30], [0.4, 0.8]),
    ]


def test_learning_curves_name_each_colour_once(curves: dict[str, Any]) -> None:
    shown = [line["name"] for line in curves["data"] if line["showlegend"]]
    colours = {(line["name"], line["line"]["color"]) for line in curves["data"]}
    assert sorted(shown) == sorted(name for name, _ in colours)
    assert len({colour for _, colour in colours}) == 2


def test_a_confusion_figure_has_its_numbers_in_their_cells() -> None:
    (axes, _) = confusion_figure(CONFUSION, ["a", "b", "c"], "bars").axes
    written = {text.get_position()[::-1]: text.get_text() for text in axes.texts}
    assert written == {(0, 0): "8", (0, 1): "2", (1, 0): "1", (1, 2): "3"}


def test_a_confusion_figure_says_what_it_shows() -> None:
    axes, colours = confusion_figure(CONFUSION, ["a", "b", "c"], "bars").axes
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title()) == ("prediction", "label", "bars")
    assert colours.get_ylabel() == "fraction of the label's images"
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [label.get_text() for label in labels] == ["a", "b", "c"]


def test_a_confusion_figure_is_coloured_by_the_share_of_the_row() -> None:
    (picture,) = confusion_figure(CONFUSION, ["a", "b", "c"], "bars").axes[0].images
    shares = picture.get_array()
    assert shares is not None
    np.testing.assert_allclose(shares, np.array([[0.8, 0.2, 0], [0.25, 0, 0.75], [0, 0, 0]]))
    assert picture.get_clim() == (0, 1)


def test_long_class_names_are_turned_so_that_they_fit() -> None:
    for names, angle in ((["a", "b", "c"], 0), (["T-shirt/top", "b", "c"], 45)):
        axes = confusion_figure(CONFUSION, names, "bars").axes[0]
        assert {label.get_rotation() for label in axes.get_xticklabels()} == {angle}


def grid(count: int) -> tuple[NDArray[np.uint8], Any]:
    images = np.arange(count * 12, dtype=np.uint8).reshape(count, 4, 3)
    return images, image_grid(images, [f"label {number}" for number in range(count)], "bars", columns=4)


def test_an_image_grid_shows_each_image_under_its_label() -> None:
    images, figure = grid(6)
    filled = [axes for axes in figure.axes if axes.images]
    assert figure.get_suptitle() == "bars"
    assert [axes.get_title() for axes in filled] == [f"label {number}" for number in range(6)]
    for axes, image in zip(filled, images, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), image)


def test_an_image_grid_has_no_axes_where_there_is_no_image() -> None:
    _, figure = grid(6)
    assert len(figure.axes) == 8
    assert not any(axes.axison for axes in figure.axes)


def test_matplotlibs_figures_can_be_saved() -> None:
    for figure in (confusion_figure(CONFUSION, ["a", "b", "c"], "bars"), grid(3)[1]):
        picture = io.BytesIO()
        figure.savefig(picture, format="png")
        assert picture.getvalue().startswith(b"\x89PNG")
