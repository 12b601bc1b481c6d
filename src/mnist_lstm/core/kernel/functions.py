"""Functions by operations that every processor rounds alike; those of libraries differ in their last bits."""

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

TERMS = 14  # of sine, below 1e-16 up to half a turn, and of the exponential
LOWEST = -700.0  # below it the exponential is 0
LOG2_E, LN2_HIGH, LN2_LOW = 1.4426950408889634, 0.693147180369123816, 1.90821492927058770e-10
Real = TypeVar("Real", float, NDArray[np.float64])


def logarithm(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The natural logarithm of positive numbers: log(m 2^e) = 2 artanh((m - 1) / (m + 1)) + e log(2)."""
    part, power = np.frexp(x)
    ratio = (part - 1) / (part + 1)
    total: NDArray[np.float64] = np.zeros_like(x)
    for term in range(41, 0, -2):
        total = 1 / term + total * (ratio * ratio)
    return np.where(x == 1, 0.0, 2 * ratio * total + power * math.log(2))


def exponential(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """e^x, x at most 0: 2^n e^r by the Taylor series of e^r, |r| at most log(2) / 2."""
    power = np.floor(np.maximum(x, LOWEST) * LOG2_E + 0.5)
    rest = np.maximum(x, LOWEST) - power * LN2_HIGH - power * LN2_LOW
    total = np.ones_like(x)
    for term in range(TERMS, 0, -1):
        total = 1 + total * (rest / term)
    return np.asarray(np.ldexp(total, power.astype(np.int64)) * (x > LOWEST))


def sine(x: Real) -> Real:
    """The sine, |x| at most pi, by its Taylor series."""
    total = x * 0 + 1
    for term in range(2 * TERMS, 0, -2):
        total = 1 - total * (x * x) / (term * (term + 1))
    return x * total


def cosine(x: Real) -> Real:
    """The cosine, |x| at most pi."""
    return sine(math.pi / 2 - abs(x))


def orthogonal(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """An orthogonal matrix from a square one of random numbers, by the modified Gram-Schmidt process on its rows."""
    rows = matrix.copy()
    for at, row in enumerate(rows):
        row /= np.sqrt(_sum(row * row))
        rows[at + 1 :] -= _sum(rows[at + 1 :] * row)[:, np.newaxis] * row
    return rows


def _sum(terms: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum over the last axis, in its order."""
    return np.asarray(terms.cumsum(axis=-1)[..., -1])
