"""Logarithm, sine and cosine by operations that every processor rounds alike; libraries differ in their last bits."""

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

TERMS = 14  # of sine: below 1e-16 up to half a turn
Real = TypeVar("Real", float, NDArray[np.float64])


def logarithm(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The natural logarithm of positive numbers: log(m 2^e) = 2 artanh((m - 1) / (m + 1)) + e log(2)."""
    part, power = np.frexp(x)
    ratio = (part - 1) / (part + 1)
    total: NDArray[np.float64] = np.zeros_like(x)
    for term in range(41, 0, -2):
        total = 1 / term + total * (ratio * ratio)
    return np.asarray(2 * ratio * total + power * math.log(2))


def sine(x: Real) -> Real:
    """The sine, |x| at most pi, by its Taylor series."""
    total = x * 0 + 1
    for term in range(2 * TERMS, 0, -2):
        total = 1 - total * (x * x) / (term * (term + 1))
    return x * total


def cosine(x: Real) -> Real:
    """The cosine, |x| at most pi."""
    return sine(math.pi / 2 - abs(x))
