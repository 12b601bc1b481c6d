"""Significance tests for classifiers of the same images, and for settings that were trained with several seeds."""

import math
from collections.abc import Sequence
from statistics import fmean, variance
from typing import NamedTuple

FEW = 25  # images; below this the chi-squared approximation is too coarse
ANY = (-math.inf, math.inf)  # bounds of a value that may be any number


class McNemar(NamedTuple):
    """The result of `mcnemar`: the p value, and whether it is exact."""

    p_value: float
    exact: bool


def mcnemar(first_only: int, second_only: int) -> McNemar:
    """McNemar's two-sided test that two classifiers of the same images have equal accuracy.

    Only the n images count that exactly one classifier gets right. Under the null hypothesis each gets half of them.
    For n < 25 the p value is exact, from the binomial distribution. For larger n,
    (|first_only - second_only| - 1)^2 / n is approximately chi-squared with one degree of freedom.

    Args:
        first_only, second_only: images that only the first or only the second classifier gets right, each >= 0.

    Raises:
        ValueError: if a count is negative.

    Source: McNemar 1947, doi:10.1007/BF02295996; continuity correction of 1: Edwards 1948, doi:10.1007/BF02289261.
    """
    if min(first_only, second_only) < 0:
        raise ValueError(f"counts of images must be 0 or more, found {first_only} and {second_only}")
    images = first_only + second_only
    if images < FEW:
        fewer = sum(math.comb(images, count) for count in range(min(first_only, second_only) + 1))
        return McNemar(min(1.0, 2 * fewer / 2**images), exact=True)
    squared = max(abs(first_only - second_only) - 1, 0) ** 2 / images
    return McNemar(math.erfc(math.sqrt(squared / 2)), exact=False)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm-corrected p values in the same order: they bound the probability of any false positive among several tests.

    Args:
        p_values: of the individual tests, in [0, 1].

    Source: Holm 1979, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6.
    """
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, position in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[position]))
        corrected[position] = highest
    return corrected


class MeanInterval(NamedTuple):
    """A mean, or a difference of means, with its t interval."""

    mean: float  # the estimate
    low: float  # end of the interval, equal to the mean if the values do not vary
    high: float  # likewise
    p_value: float  # two-sided, that the true mean is 0; nan if the values do not vary, as nothing can be said then
    cut: tuple[float, ...] = ()  # the bounds at which the interval ends because no value is beyond them

    @property
    def text(self) -> str:
        """Both ends, and where they are cut: "0.9312 to 1.0000 (cut at 1)"."""
        cut = f" (cut at {' and '.join(f'{end:g}' for end in self.cut)})" if self.cut else ""
        return f"{self.low:.4f} to {self.high:.4f}{cut}"


def bounds(metric: str) -> tuple[float, float]:
    """Between what a metric lies: a loss is not negative, all others are fractions."""
    return (0.0, math.inf) if metric.endswith("loss") else (0.0, 1.0)


def mean_interval(values: Sequence[float], confidence: float, within: tuple[float, float] = ANY) -> MeanInterval:
    """The mean of independent values, such as accuracies of several seeds, with Student's t interval.

    Of two or three seeds that interval may reach beyond 1. It is cut at the bounds, which leaves its confidence as it
    is: the true mean is never beyond them. An interval that is cut shows that more seeds are needed.

    Args:
        values: at least two.
        confidence: fraction in (0, 1), such as 0.95.
        within: the bounds of every value, as `bounds` gives them.

    Raises:
        ValueError: if there are fewer than two values.

    Source: Student 1908, doi:10.1093/biomet/6.1.1; the cut: Mandelkern 2002, doi:10.1214/ss/1030550859.
    """
    if len(values) < 2:
        raise ValueError(f"an interval of a mean needs two values or more, found {len(values)}")
    return _t_interval(fmean(values), variance(values) / len(values), len(values) - 1, confidence, within)


def paired_interval(
    first: Sequence[float], second: Sequence[float], confidence: float, within: tuple[float, float] = ANY
) -> MeanInterval:
    """The mean of first - second, whose values belong together one by one, as those of the same seed.

    What a seed does to both, such as the order of its batches, cancels out. `within` are the bounds of a difference.

    Raises:
        ValueError: if there are fewer than two pairs, or not as many of the one as of the other.
    """
    return mean_interval([one - other for one, other in zip(first, second, strict=True)], confidence, within)


def welch_interval(
    first: Sequence[float], second: Sequence[float], confidence: float, within: tuple[float, float] = ANY
) -> MeanInterval:
    """The difference of the means, first - second, of independent values whose variances may differ.

    `within` are the bounds of a difference.

    Raises:
        ValueError: if there are fewer than two values of either.

    Source: Welch 1947, doi:10.1093/biomet/34.1-2.28.
    """
    if min(len(first), len(second)) < 2:
        raise ValueError(f"Welch's interval needs two values of each or more, found {len(first)} and {len(second)}")
    squared = [variance(values) / len(values) for values in (first, second)]
    below = sum(part**2 / (len(values) - 1) for part, values in zip(squared, (first, second), strict=True))
    degrees = sum(squared) ** 2 / below if below else 1.0
    return _t_interval(fmean(first) - fmean(second), sum(squared), degrees, confidence, within)


def _t_interval(
    mean: float, squared_error: float, degrees: float, confidence: float, within: tuple[float, float]
) -> MeanInterval:
    """The interval of a mean with this squared standard error and these degrees of freedom, cut at its bounds."""
    from scipy.special import stdtr, stdtrit  # the import takes 0.1 s, which only comparisons need

    error = math.sqrt(squared_error)
    if error <= 1e-12 * abs(mean):  # rounding, as of 0.9 - 0.8 and 0.8 - 0.7
        return MeanInterval(mean, mean, mean, math.nan)
    half = float(stdtrit(degrees, (1 + confidence) / 2)) * error
    low, high = max(mean - half, within[0]), min(mean + half, within[1])
    cut = tuple(bound for bound, beyond in zip(within, (low > mean - half, high < mean + half), strict=True) if beyond)
    return MeanInterval(mean, low, high, 2 * float(stdtr(degrees, -abs(mean) / error)), cut)
