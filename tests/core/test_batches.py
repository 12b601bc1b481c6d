from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mnist_lstm.core.batches import batches

totals, sizes, seeds = st.integers(1, 30), st.integers(1, 70), st.integers(0, 2**64 - 1)


def first(count: int, *arguments: int) -> list[NDArray[np.int64]]:
    return list(islice(batches(*arguments), count))


@given(totals, sizes, seeds)
def test_every_epoch_is_a_permutation_and_batches_run_on_across_its_end(total: int, size: int, seed: int) -> None:
    """As TensorFlow's `next_batch` (input_data.py, 2017) took the rest of one epoch with the start of the next."""
    read = first(3 * total // size + 1, total, size, seed)
    assert all(len(batch) == size for batch in read)
    stream = np.concatenate(read)
    for epoch in range(3):
        assert sorted(stream[epoch * total : (epoch + 1) * total].tolist()) == list(range(total))


@given(totals, sizes, seeds, st.integers(0, 40))
def test_to_start_at_an_update_is_to_skip_those_before(total: int, size: int, seed: int, start: int) -> None:
    np.testing.assert_array_equal(first(3, total, size, seed, start), first(start + 3, total, size, seed)[start:])


def test_epochs_are_shuffled_differently() -> None:
    one, two = first(2, 50, 50, 1)
    assert one.tolist() != two.tolist()


def test_the_order_follows_from_the_seed() -> None:
    one, same, other = (first(3, 50, 8, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_no_epoch_of_one_seed_is_an_epoch_of_the_next() -> None:
    one, two = first(20, 50, 50, 1), first(20, 50, 50, 2)
    assert not {tuple(epoch.tolist()) for epoch in one} & {tuple(epoch.tolist()) for epoch in two}


@pytest.mark.parametrize("size", [7, 20])
def test_a_batch_may_be_larger_than_the_data(size: int) -> None:
    (batch,) = first(1, 6, size, 1)
    assert np.bincount(batch).min() >= size // 6
