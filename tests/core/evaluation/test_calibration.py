import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mnist_lstm.core.evaluation.metrics import BINS, expected_calibration_error, reliability, summarize


def logits_of(confidences: list[float]) -> NDArray[np.float64]:
    """Two classes, of which the first is predicted with these probabilities."""
    sure = np.array(confidences)
    logits: NDArray[np.float64] = np.log(np.stack([sure, 1 - sure], axis=1))
    return logits


# Four images in two bins of [0.5, 1]: 0.6 and 0.7, of which one is right; 0.8 and 0.9, both right. By hand:
# |1/2 - 0.65| * 2/4 + |1 - 0.85| * 2/4 = 0.075 + 0.075
LOGITS, LABELS = logits_of([0.6, 0.7, 0.8, 0.9]), np.array([0, 1, 0, 0])


def test_the_expected_calibration_error_is_that_of_a_small_example_by_hand() -> None:
    assert expected_calibration_error(reliability(LOGITS, LABELS, 4)) == pytest.approx(0.15)


def test_the_bins_of_a_small_example_are_those_by_hand() -> None:
    bins = reliability(LOGITS, LABELS, 4)
    assert bins["images"].tolist() == [0, 0, 2, 2]
    assert bins["correct"].tolist() == [0, 0, 1, 2]
    np.testing.assert_allclose(bins["confidence"], [np.nan, np.nan, 0.65, 0.85])
    np.testing.assert_allclose((bins["low"], bins["high"]), [[0, 0.25, 0.5, 0.75], [0.25, 0.5, 0.75, 1]])


def test_a_network_that_is_sure_and_right_is_calibrated() -> None:
    logits = np.array([[1000.0, 0.0], [0.0, 1000.0]])
    assert expected_calibration_error(reliability(logits, np.array([0, 1]), BINS)) == 0


def test_a_network_that_is_sure_and_wrong_is_off_by_one() -> None:
    logits = np.array([[1000.0, 0.0], [0.0, 1000.0]])
    assert expected_calibration_error(reliability(logits, np.array([1, 0]), BINS)) == 1


@given(st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_every_image_is_in_one_bin_and_the_error_is_a_fraction(bins: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, 50)
    found = reliability(random.normal(size=(50, 4)) * 5, labels, bins)
    filled = found["images"] > 0
    assert found["images"].sum() == 50
    assert (found["correct"] <= found["images"]).all()
    assert (found["confidence"][filled] >= found["low"][filled] - 1e-12).all()
    assert (found["confidence"][filled] <= found["high"][filled] + 1e-12).all()
    assert 0 <= expected_calibration_error(found) <= 1


def test_a_summary_has_the_calibration_error_in_fifteen_bins() -> None:
    assert BINS == 15
    expected = expected_calibration_error(reliability(LOGITS, LABELS, 15))
    assert summarize(LOGITS, LABELS, 0.95)["test/ece"] == expected
