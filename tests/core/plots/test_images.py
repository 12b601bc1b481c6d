import numpy as np

from mnist_lstm.core.plots.images import image_grid, mistakes_figure
from tests.core.plots.drawings import mistakes
from tests.support import tiny


def test_an_image_grid_shows_each_image_under_its_label_and_no_axes_where_there_is_none() -> None:
    images, names = np.arange(6 * 12, dtype=np.uint8).reshape(6, 4, 3), [f"label {number}" for number in range(6)]
    figure = image_grid(images, names, "bars", columns=4)
    filled = [axes for axes in figure.axes if axes.images]
    assert figure.get_suptitle() == "bars"
    assert [axes.get_title() for axes in filled] == names
    for axes, image in zip(filled, images, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), image)
    assert [axes.axison for axes in figure.axes] == [False] * 8


def test_a_mistake_has_its_class_what_it_was_called_how_surely_and_where_it_is_found() -> None:
    axes = mistakes(8).axes[0]
    label = tiny.labels(8)[0]
    sure = np.exp(1) / (np.exp(1) + 2)
    assert axes.get_title() == f"is {tiny.NAMES[(label + 1) % 3]}"
    assert axes.get_xlabel() == f"called {tiny.NAMES[label]}\n{sure:.1%} sure\nnumber 0"


def test_where_there_is_no_mistake_the_figure_says_so_and_none_is_said_to_be_made_with_certainty() -> None:
    assert "no mistake" in {text.get_text() for text in mistakes(0).texts}
    logits = np.array([[20.0, 0, 0]])
    figure = mistakes_figure(tiny.images(1), np.array([0]), logits, np.array([1], np.uint8), tiny.NAMES, "bars")
    assert "over 99.9% sure" in figure.axes[0].get_xlabel()
