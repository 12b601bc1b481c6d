"""Images that look like none of the training images of their answer."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_lstm.core.inference.typical import FALSE_ALARMS, Typical, parts_without_loops, sample, shapes

SIDE = 20


def bars(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Upright bars (class 0) and level ones (class 1), anywhere near the middle."""
    random = np.random.default_rng(seed)
    images, labels = np.zeros((count, SIDE, SIDE), np.uint8), np.arange(count, dtype=np.uint8) % 2
    for image, label in zip(images, labels, strict=True):
        at, begin, end = random.integers([7, 1, 15], [11, 5, 19])
        image[begin:end, at : at + 3] = random.integers(150, 256)
        if label:
            image[:] = image.T.copy()
    return images, labels


@pytest.fixture(scope="module")
def typical() -> Typical:
    found = Typical.of(*bars(12_000, 0), classes=2)  # so that a share of them is known well enough
    assert found
    return found


def test_hardly_any_image_like_those_of_training_is_unlike_its_class(typical: Typical) -> None:
    images, labels = bars(10_000, 1)
    assert typical.unlike(images, labels.astype(np.int64)).mean() < FALSE_ALARMS * 4 / 3


def test_an_image_of_another_class_or_of_none_is_unlike_its_answer(typical: Typical) -> None:
    images, labels = bars(100, 2)
    assert typical.unlike(images, 1 - labels.astype(np.int64)).all()
    crosses = np.maximum(images, images.transpose(0, 2, 1))
    assert typical.unlike(crosses, labels.astype(np.int64)).mean() > 0.95


def test_what_is_stored_decides_the_same(typical: Typical) -> None:
    images, labels = bars(50, 3)
    answers = labels.astype(np.int64)
    stored = Typical.stored(typical.arrays())
    assert stored
    assert (stored.unlike(images, answers) == typical.unlike(images, answers)).all()


@pytest.mark.parametrize(("count", "side"), [(500, SIDE), (2000, 15)], ids=["too few", "too small"])
def test_nothing_is_said_of_images_that_are(count: int, side: int) -> None:
    images, labels = bars(count, 0)
    assert Typical.of(images[:, :side, :side], labels, 2) is None


def test_a_shape_has_the_edges_by_place_and_direction_and_the_strokes_that_lines_cross() -> None:
    image = np.zeros((1, SIDE, SIDE), np.uint8)
    image[:, :, [5, 6, 13, 14]] = 255
    (shape,) = shapes(image)
    edges, strokes = shape[:256].reshape(16, 16), shape[256:]
    assert edges[0].min() > 1e-3  # the slope of upright strokes is level: direction 0
    assert edges[1:].max() < 1e-3
    np.testing.assert_allclose(strokes[:7], 2, rtol=1e-6)
    assert strokes[7:].max() < 1


def test_arrays_of_an_earlier_version_are_not_read() -> None:
    assert Typical.stored({}) is None
    assert Typical.stored(dict.fromkeys(("weights", "means", "axes", "rare", "limit"), 0)) is None


@pytest.mark.parametrize(("parts", "loops"), [(0, 0), (1, 0), (2, 0), (1, 1), (1, 2), (3, 0), (5, 0), (2, 1), (1, 5)])
def test_the_parts_of_the_ink_are_counted_without_its_loops_and_those_that_touch_by_a_corner_are_one(
    parts: int, loops: int
) -> None:
    image, touching = np.zeros((2, 1, 28, 28), np.uint8)
    for part in range(parts):
        image[0, 5 * part : 5 * part + 4, 2:26] = 255
    for loop in range(loops):
        image[0, 1:3, 4 * loop + 3 : 4 * loop + 5] = 180  # three quarters of 255 are strong
    assert parts_without_loops(image).tolist() == [3 + min(max(parts - loops, -3), 3)]
    touching[0, 2:6, 2:6] = touching[0, 6:9, 6:9] = 255
    assert parts_without_loops(touching).tolist() == [4]


@pytest.mark.parametrize("count", [3, 15_000, 1_000_000])
def test_the_images_that_are_read_are_spread_over_all(count: int) -> None:
    chosen = sample(count)
    assert (chosen[0], chosen[-1]) == (0, count - 1)
    assert len(np.unique(chosen)) == min(count, 15_000)
