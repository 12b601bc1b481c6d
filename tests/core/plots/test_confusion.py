import numpy as np

from mnist_lstm.core.plots.confusion import confusion_difference_figure, confusion_figure

CONFUSION = np.array([[8, 2, 0], [1, 0, 3], [0, 0, 0]])


def test_a_cell_of_the_confusion_matrix_has_its_count_and_its_share_of_the_row() -> None:
    counts = np.array([[990, 9, 1], [0, 0, 3], [0, 0, 0]])
    axes = confusion_figure(counts, ["a", "b", "c"], "bars").axes[0]
    written = {text.get_position()[::-1]: text.get_text() for text in axes.texts}
    assert written == {(0, 0): "990\n99%", (0, 1): "9\n0.9%", (0, 2): "1\n0.1%", (1, 2): "3\n100%"}


def test_a_confusion_figure_says_what_it_shows_and_is_coloured_by_the_share_of_the_row() -> None:
    axes, colours = confusion_figure(CONFUSION, ["a", "b", "c"], "bars").axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("prediction (class)", "label (class)")
    assert colours.get_ylabel() == "fraction of the label"
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [label.get_text() for label in labels] == ["a", "b", "c"]
    (picture,) = axes.images
    shares = np.array([[0.8, 0.2, 0], [0.25, 0, 0.75], [0, 0, 0]])
    np.testing.assert_allclose(np.asarray(picture.get_array()), shares)
    assert picture.get_clim() == (0, 1)


def test_long_class_names_are_turned_so_that_they_fit() -> None:
    for names, angle in ((["a", "b", "c"], 0), (["T-shirt/top", "b", "c"], 45)):
        axes = confusion_figure(CONFUSION, names, "bars").axes[0]
        assert {label.get_rotation() for label in axes.get_xticklabels()} == {angle}


def test_a_difference_of_confusion_matrices_has_signed_counts_and_white_where_there_is_none() -> None:
    difference = np.array([[12.0, -0.5, 0.0], [-3.0, 0.0, 3.0], [0.0, 0.0, 0.0]])
    axes = confusion_difference_figure(difference, ["a", "b", "c"], "B less A").axes[0]
    written = {text.get_position()[::-1]: text.get_text() for text in axes.texts}
    assert written == {(0, 0): "+12", (0, 1): "-0.5", (1, 0): "-3", (1, 2): "+3"}
    (picture,) = axes.images
    shades = np.asarray(picture.norm(np.array([-12.0, 0.0, 3.0, 12.0])))
    np.testing.assert_allclose(shades, [0, 0.5, 0.75, 1], atol=1e-12)  # by the square root
