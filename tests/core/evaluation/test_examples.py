import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from mnist_lstm.core.evaluation.examples import disagreements, most_confident_mistakes, right_and_wrong, spread


def test_the_most_confident_mistakes_are_the_wrong_ones_the_surest_first_then_in_the_order_of_the_images() -> None:
    logits = np.array([[9.0, 0.0], [3.0, 0.0], [0.0, 5.0], [0.0, 1.0]])
    for count in (5, 2):
        assert_array_equal(most_confident_mistakes(logits, np.array([0, 1, 0, 0]), count), [2, 1, 3][:count])
    assert_array_equal(most_confident_mistakes(np.zeros((4, 3)), np.array([1, 0, 2, 1]), 3), [0, 2, 3])
    assert len(most_confident_mistakes(np.eye(3), np.arange(3), 5)) == 0


def test_examples_are_spread_from_small_to_large_without_the_extremes() -> None:
    values = np.arange(100)[::-1]
    assert_array_equal(values[spread(np.arange(100), values, 4)], [12, 37, 62, 87])


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(1, 10))
def test_spread_examples_are_different_candidates_in_order(values: list[int], count: int) -> None:
    array = np.array(values, np.int64)
    candidates = np.arange(len(array))
    chosen = spread(candidates, array, count)
    assert len(set(chosen)) == len(chosen) == min(count, len(array))
    assert (np.diff(array[chosen]) >= 0).all()


def test_right_examples_come_before_wrong_ones_as_many_as_there_are() -> None:
    answers, labels = np.array([0, 1, 2, 0, 1]), np.array([0, 1, 2, 0, 2])
    chosen = right_and_wrong(answers, labels, np.array([5, 1, 4, 2, 3]), 2)
    assert_array_equal(chosen, [3, 0, 4])


def test_classifiers_disagree_where_their_answers_differ_the_largest_difference_first() -> None:
    one = np.array([[0.9, 0.1], [0.6, 0.4], [0.9, 0.1], [0.2, 0.8]])
    other = np.array([[0.6, 0.4], [0.4, 0.6], [0.1, 0.9], [0.6, 0.4]])
    labels = np.array([0, 0, 1, 1])
    assert_array_equal(disagreements(np.stack([one, other]), labels, 5), [2, 3, 1])
    assert_array_equal(disagreements(np.stack([one, other, one]), labels, 2), [2, 3])
    assert len(disagreements(np.stack([one, one]), labels, 5)) == 0
