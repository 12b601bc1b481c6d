from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_lstm.core.sequences import VIEWS, pixel_order, to_images, to_sequences
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import SequenceParameters

views, sides = st.sampled_from(sorted(VIEWS)), st.integers(1, 9)


def test_the_views_are_those_that_the_parameters_allow() -> None:
    assert set(VIEWS) == set(get_args(SequenceParameters.model_fields["view"].annotation))


@given(views, sides, sides)
def test_a_view_reads_every_pixel_once(view: str, height: int, width: int) -> None:
    order = pixel_order(view, height, width)
    assert sorted(order.ravel().tolist()) == list(range(height * width))


@given(views, sides, sides, st.integers(1, 4))
def test_the_images_come_back_from_their_sequences(view: str, height: int, width: int, count: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (count, height, width), np.uint8)
    order = pixel_order(view, height, width)
    back = to_images(to_sequences(images, order), order, height, width)
    assert back.dtype == np.uint8
    np.testing.assert_array_equal(back, images)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)


def test_the_steps_of_a_28x28_image_by_rows_are_its_rows(images: np.ndarray) -> None:
    np.testing.assert_array_equal(to_sequences(images, pixel_order("rows", 28, 28)), images)


def test_the_steps_of_a_28x28_image_by_columns_are_its_columns(images: np.ndarray) -> None:
    np.testing.assert_array_equal(to_sequences(images, pixel_order("columns", 28, 28)), images.transpose(0, 2, 1))


@pytest.mark.parametrize(("view", "shape"), [("rows", (3, 6, 4)), ("columns", (3, 4, 6))])
def test_a_sequence_has_a_step_for_each_line_that_the_view_reads(view: str, shape: tuple[int, ...]) -> None:
    assert to_sequences(np.zeros((3, 6, 4), np.uint8), pixel_order(view, 6, 4)).shape == shape


def test_flat_images_read_as_the_square_ones(images: np.ndarray) -> None:
    order = pixel_order("columns", 28, 28)
    np.testing.assert_array_equal(to_sequences(images.reshape(3, -1), order), to_sequences(images, order))


@pytest.mark.parametrize("shape", [(2, 8, 8), (2, 29, 28)])
def test_an_image_of_another_size_than_the_views_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=r"must have 784 pixels .* found shape \(2, "):
        to_sequences(np.zeros(shape, np.uint8), pixel_order("rows", 28, 28))
