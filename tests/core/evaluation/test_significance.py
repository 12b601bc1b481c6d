import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, chi2, ttest_1samp, ttest_ind, ttest_rel

from mnist_lstm.core.evaluation.significance import (
    FEW,
    MeanInterval,
    bounds,
    holm,
    mcnemar,
    mean_interval,
    paired_interval,
    welch_interval,
)

counts = st.integers(0, 5000)
sizes = st.integers(2, 12)


def accuracies(seed: int, count: int) -> list[float]:
    """Of `count` seeds."""
    return np.random.default_rng(seed).normal(0.96, 0.003, count).tolist()  # type: ignore[no-any-return]


def test_mcnemars_test_is_that_of_mlxtends_guide() -> None:
    """Raschka, mlxtend's guide to McNemar's test: scenario B by chi-squared = 2.025, scenario A exactly."""
    assert mcnemar(25, 15).p_value == pytest.approx(0.154728923485, abs=1e-12)
    assert mcnemar(11, 1) == (0.00634765625, True)


@given(st.integers(0, FEW - 1), st.integers(0, FEW - 1))
def test_few_images_are_tested_as_scipys_binomial_test_does(first_only: int, second_only: int) -> None:
    test, images = mcnemar(first_only, second_only), first_only + second_only
    assert test == mcnemar(second_only, first_only)
    assert test.exact == (images < FEW)
    if 0 < images < FEW:
        assert test.p_value == pytest.approx(binomtest(first_only, images).pvalue, rel=1e-12)


@given(counts, counts.filter(lambda count: count >= FEW))
def test_many_images_are_tested_by_edwards_chi_squared(first_only: int, second_only: int) -> None:
    squared = max(abs(first_only - second_only) - 1, 0) ** 2 / (first_only + second_only)
    test = mcnemar(first_only, second_only)
    assert (test.exact, test) == (False, mcnemar(second_only, first_only))
    assert test.p_value == pytest.approx(chi2.sf(squared, 1), rel=1e-9)


def test_equal_counts_are_no_difference_and_negative_ones_refused() -> None:
    assert [mcnemar(only, only).p_value for only in (0, 3, 40)] == [1, 1, 1]
    with pytest.raises(ValueError, match="found -1 and 3"):
        mcnemar(-1, 3)


def test_holms_correction_is_that_of_a_calculation_by_hand() -> None:
    """0.005 x 4, 0.01 x 3, 0.03 x 2, and the last no smaller than the one before it."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert (holm([0.9, 0.4]), holm([0.6, 0.7, 0.8]), holm([0.04]), holm([])) == ([0.9, 0.8], [1, 1, 1], [0.04], [])


def expect_as_scipys(found: MeanInterval, test: object, mean: float) -> None:
    interval = test.confidence_interval(0.9)  # type: ignore[attr-defined]
    assert found.mean == pytest.approx(mean, rel=1e-12)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-9, abs=1e-12)
    assert found.p_value == pytest.approx(test.pvalue, rel=1e-9)  # type: ignore[attr-defined]


@given(counts, sizes)
def test_the_interval_of_a_mean_is_scipys(seed: int, count: int) -> None:
    values = accuracies(seed, count)
    expect_as_scipys(mean_interval(values, 0.9), ttest_1samp(values, 0), float(np.mean(values)))


@given(counts, sizes)
def test_the_paired_interval_is_scipys(seed: int, count: int) -> None:
    one, other = accuracies(seed, 2 * count)[:count], accuracies(seed, 2 * count)[count:]
    expect_as_scipys(paired_interval(one, other, 0.9), ttest_rel(one, other), float(np.mean(one) - np.mean(other)))


@given(counts, sizes, sizes)
def test_welchs_interval_is_scipys(seed: int, first: int, second: int) -> None:
    one, other = accuracies(seed, first + second)[:first], accuracies(seed, first + second)[first:]
    test = ttest_ind(one, other, equal_var=False)
    expect_as_scipys(welch_interval(one, other, 0.9), test, float(np.mean(one) - np.mean(other)))


@pytest.mark.parametrize("found", [paired_interval([0.9, 0.8], [0.8, 0.7], 0.9), welch_interval([1, 1], [2, 2], 0.9)])
def test_values_that_do_not_vary_prove_nothing(found: MeanInterval) -> None:
    assert found.low == found.mean == found.high != 0
    assert math.isnan(found.p_value)


@pytest.mark.parametrize(
    ("values", "within", "text"),
    [
        ([0.99, 0.95], (0, 1), "0.7159 to 1.0000 (cut at 1)"),
        ([0.01, 0.05], (0, 1), "0.0000 to 0.2841 (cut at 0)"),
        ([0.4, 0.9], (0, 1), "0.0000 to 1.0000 (cut at 0 and 1)"),
        ([0.4, 0.9], bounds("valid/loss"), "0.0000 to 3.8266 (cut at 0)"),
        ([0.96, 0.97], bounds("test/accuracy"), "0.9015 to 1.0000 (cut at 1)"),
        ([0.951, 0.95], bounds("test/accuracy"), "0.9441 to 0.9569"),
    ],
)
def test_an_interval_ends_where_its_values_do_and_says_so(
    values: list[float], within: tuple[float, float], text: str
) -> None:
    plain = mean_interval(values, 0.95)
    for found in (mean_interval(values, 0.95, within), paired_interval(values, [0, 0], 0.95, within)):
        assert found.text == text
        assert (found.mean, found.p_value) == (plain.mean, plain.p_value)
    low, high = plain.low, plain.high
    assert welch_interval(values, [0, 0], 0.95, (low + 0.001, high - 0.001))[1:3] == (low + 0.001, high - 0.001)


def test_one_value_has_no_interval_and_pairs_must_be_complete() -> None:
    with pytest.raises(ValueError, match="two values or more, found 1"):
        mean_interval([0.9], 0.9)
    with pytest.raises(ValueError, match="found 1 and 2"):
        welch_interval([0.9], [0.8, 0.9], 0.9)
    with pytest.raises(ValueError, match="shorter"):
        paired_interval([0.9, 0.8], [0.8], 0.9)
