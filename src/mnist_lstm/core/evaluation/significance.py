"""Whether two classifiers of the same images differ by more than chance."""

import math
from collections.abc import Sequence
from typing import NamedTuple

FEW = 25  # images below which the chi-squared distribution is too coarse


class McNemar(NamedTuple):
    """The answer of `mcnemar`: how probable so large a difference is by chance, and whether that is exact."""

    p_value: float
    exact: bool


def mcnemar(first_only: int, second_only: int) -> McNemar:
    """McNemar's test, two-sided: are two classifiers that saw the same images equally often right?

    Images that both have right or both have wrong say nothing. Of the n others each classifier has a half by chance:
    exactly, by the binomial distribution, where n < 25; beyond, (|first_only - second_only| - 1)^2 / n is close to
    chi-squared with one degree of freedom.

    Args:
        first_only, second_only: images that only the first, and only the second has right, each >= 0.

    Raises:
        ValueError: if a count is negative.

    Source: McNemar 1947, doi:10.1007/BF02295996; the 1 that is taken off: Edwards 1948, doi:10.1007/BF02289261.
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
    """The p values of several tests, raised so that one error among them all is as rare as it is for a single one.

    Args:
        p_values: of each test alone, in [0, 1].

    Returns:
        The corrected ones in the same order.

    Source: Holm 1979, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6.
    """
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, position in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[position]))
        corrected[position] = highest
    return corrected
