from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mnist_lstm.core.training.batches import WINDOW, batches

totals, sizes, seeds = st.integers(1, 30), st.integers(1, 70), st.integers(0, 2**64 - 1)
blocks = st.none() | st.integers(1, 40)


def first(
    count: int, total: int, size: int, seed: int, start: int = 0, block: int | None = None
) -> list[NDArray[np.int64]]:
    return list(islice(batches(total, size, seed, start, block), count))


@given(totals, sizes, seeds, blocks)
def test_every_epoch_is_a_permutation_and_batches_run_on_across_its_end(
    total: int, size: int, seed: int, block: int | None
) -> None:
    """As TensorFlow's `next_batch` (input_data.py, 2017) took the rest of one epoch with the start of the next."""
    read = first(3 * total // size + 1, total, size, seed, block=block)
    assert all(len(batch) == size for batch in read)
    stream = np.concatenate(read)
    for epoch in range(3):
        assert sorted(stream[epoch * total : (epoch + 1) * total].tolist()) == list(range(total))


@given(totals, sizes, seeds, st.integers(0, 40), blocks)
def test_to_start_at_an_update_is_to_skip_those_before(
    total: int, size: int, seed: int, start: int, block: int | None
) -> None:
    uninterrupted = first(start + 3, total, size, seed, block=block)
    np.testing.assert_array_equal(first(3, total, size, seed, start, block=block), uninterrupted[start:])


@given(st.integers(100, 700), st.integers(1, 12), seeds)
def test_images_are_shuffled_among_the_blocks_of_a_window_alone(total: int, block: int, seed: int) -> None:
    (epoch,) = first(1, total, total, seed, block=block)
    most = WINDOW if total % block == 0 else 2 * WINDOW  # where the last block is shorter, the windows after it shift
    for start in range(0, total - WINDOW * block + 1, WINDOW * block):
        assert len(np.unique(epoch[start : start + WINDOW * block] // block)) <= most


def test_blocks_and_the_images_in_a_window_are_shuffled_anew_in_each_epoch() -> None:
    one, two = first(2, 640, 640, 1, block=4)
    inside = one[: 4 * WINDOW] // 4
    assert np.count_nonzero(np.diff(inside)) > 2 * WINDOW  # no block by itself
    assert set(inside) != set(range(WINDOW))
    assert set(inside) != set(two[: 4 * WINDOW] // 4)


@pytest.mark.parametrize("block", [50, 51, 10**9])
def test_a_block_of_all_images_is_the_order_without_blocks_which_is_what_it_was_before_there_were_any(
    block: int,
) -> None:
    np.testing.assert_array_equal(first(9, 50, 8, 1, block=block), first(9, 50, 8, 1))
    assert first(1, 10, 10, 1)[0].tolist() == np.random.default_rng([1, 0]).permutation(10).tolist()


def test_the_order_depends_on_the_seed_and_no_two_epochs_of_two_seeds_are_equal() -> None:
    one, same, other = (first(20, 50, 50, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert len({tuple(epoch.tolist()) for epoch in one + other}) == 40


@pytest.mark.parametrize("size", [7, 20])
def test_a_batch_may_be_larger_than_the_data(size: int) -> None:
    (batch,) = first(1, 6, size, 1)
    assert np.bincount(batch).min() >= size // 6
