from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mnist_lstm.core.data.sequences import VIEWS, PixelOrder, pixel_order_for, to_images, to_sequences
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import SequenceParameters
from tests.conftest import read_by

sides = st.integers(1, 9)
sequences = st.builds(
    lambda view, patch, seed: SequenceParameters(view=view, patch_size=patch, permutation_seed=seed),
    st.sampled_from(sorted(VIEWS)),
    st.integers(1, 5),
    st.integers(0, 2**32 - 1),
)


def order_of(sequence: SequenceParameters, height: int, width: int) -> PixelOrder:
    """Of any image but one that is smaller than a patch."""
    assume(sequence.view != "patches" or sequence.patch_size <= min(height, width))
    return pixel_order_for(sequence, height, width)


def test_the_views_are_those_that_the_parameters_allow() -> None:
    assert set(VIEWS) == set(get_args(SequenceParameters.model_fields["view"].annotation))


@given(sequences, sides, sides)
def test_a_view_reads_every_pixel(sequence: SequenceParameters, height: int, width: int) -> None:
    pixel_order = order_of(sequence, height, width)
    assert pixel_order.dtype == np.int64
    assert sorted(set(pixel_order.ravel().tolist())) == list(range(height * width))


@given(sequences, sides, sides)
def test_only_patches_that_overlap_and_lines_that_cross_read_a_pixel_twice(
    sequence: SequenceParameters, height: int, width: int
) -> None:
    fits = height % sequence.patch_size == width % sequence.patch_size == 0
    once = sequence.view != "rows_and_columns" and (sequence.view != "patches" or fits)
    assert (order_of(sequence, height, width).size == height * width) or not once


@given(sequences, sides, sides, st.integers(0, 4))
def test_the_images_come_back_from_their_sequences(
    sequence: SequenceParameters, height: int, width: int, count: int
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (count, height, width), np.uint8)
    pixel_order = order_of(sequence, height, width)
    back = to_images(to_sequences(images, pixel_order), pixel_order, height, width)
    assert back.dtype == np.uint8
    np.testing.assert_array_equal(back, images)


SHAPES = {"rows": (6, 4), "columns": (4, 6), "rows_reversed": (6, 4), "rows_and_columns": (6, 10), "patches": (4, 9)}
SHAPES |= {"pixels": (24, 1), "permuted_pixels": (24, 1)}


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_a_view_decides_steps_and_features_and_pixels_read_in_their_own_order_are_not_copied(view: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 6, 4), np.uint8)
    pixel_order = pixel_order_for(read_by(view), 6, 4)
    found = to_sequences(images, pixel_order)
    assert found.shape == (5, *SHAPES[view])
    np.testing.assert_array_equal(found, images.reshape(5, -1)[:, pixel_order])
    np.testing.assert_array_equal(to_sequences(images.reshape(5, -1), pixel_order), found)
    assert np.shares_memory(found, images) == (view in ("rows", "pixels"))


READ: dict[str, Callable[[Any], Any]] = {
    "rows": lambda images: images,
    "columns": lambda images: images.transpose(0, 2, 1),
    "rows_reversed": lambda images: images[:, ::-1],
    "rows_and_columns": lambda images: np.concatenate([images, images.transpose(0, 2, 1)], axis=2),
    "pixels": lambda images: images.reshape(3, 784, 1),
}


@pytest.mark.parametrize("view", READ)
def test_a_view_reads_the_steps_that_its_name_says(view: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)
    np.testing.assert_array_equal(to_sequences(images, pixel_order_for(read_by(view), 28, 28)), READ[view](images))


@pytest.mark.parametrize(("height", "width"), [(2, 3), (3, 2)])
def test_of_an_image_that_is_not_square_the_last_line_is_read_again(height: int, width: int) -> None:
    pixel_order = pixel_order_for(read_by("rows_and_columns"), height, width)
    pixels = np.arange(6).reshape(height, width)
    assert pixel_order.shape == (3, 5)
    for step, read_now in enumerate(pixel_order):
        row, column = pixels[min(step, height - 1)], pixels[:, min(step, width - 1)]
        assert read_now.tolist() == [*row, *column]


def test_patches_are_squares_and_the_last_ones_are_shifted_inward() -> None:
    pixel_order = pixel_order_for(SequenceParameters(view="patches", patch_size=2, permutation_seed=1), 3, 4)
    assert pixel_order.tolist() == [[0, 1, 4, 5], [2, 3, 6, 7], [4, 5, 8, 9], [6, 7, 10, 11]]


def test_a_patch_larger_than_the_image_is_refused_by_its_key() -> None:
    with pytest.raises(UserError, match=r"'sequence\.patch_size' must be at most 2 for images of 2 x 9 pixels, not 3"):
        pixel_order_for(read_by("patches"), 2, 9)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), sides, sides)
def test_the_permutation_is_one_for_a_seed(seed: int, other: int, height: int, width: int) -> None:
    def permutation(seed: int) -> PixelOrder:
        np.random.seed(height)
        view = SequenceParameters(view="permuted_pixels", patch_size=1, permutation_seed=seed)
        return pixel_order_for(view, height, width)

    np.testing.assert_array_equal(permutation(seed), permutation(seed))
    if seed != other and height * width > 20:
        assert (permutation(seed) != permutation(other)).any()


def test_the_permutation_of_a_seed_stays_what_it_was() -> None:
    """A checkpoint stores only the seed."""
    assert pixel_order_for(read_by("permuted_pixels"), 2, 4).ravel().tolist() == [7, 2, 1, 6, 0, 4, 3, 5]


@pytest.mark.parametrize("shape", [(2, 8, 8), (2, 29, 28)])
def test_an_image_of_another_size_than_the_views_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=r"must have 784 pixels .* found shape \(2, "):
        to_sequences(np.zeros(shape, np.uint8), pixel_order_for(read_by("rows"), 28, 28))
