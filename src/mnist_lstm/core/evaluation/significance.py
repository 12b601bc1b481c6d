"""Significance tests for classifiers of the same images."""

import math
from collections.abc import Sequence
from typing import NamedTuple

FEW = 25  # images; below this the chi-squared approximation is too coarse


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
    """Holm-corrected p values: they bound the probability of any false positive among several tests.

    Args:
        p_values: of the individual tests, in [0, 1].

    Returns:
        The corrected p values in the same order.

    Source: Holm 1979, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6.
    """
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, position in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[position]))
        corrected[position] = highest
    return corrected
