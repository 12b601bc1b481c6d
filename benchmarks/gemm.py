"""How fast the machine multiplies matrices, and how much of that one update of the tutorial's network needs."""

import time

import torch

BATCH, STEPS, FEATURES, HIDDEN, CLASSES = 128, 28, 28, 128, 10
GATES, THREADS, LARGE = 4 * HIDDEN, 2, 2048

Rates = dict[str, float]


def gflop_of_an_update() -> float:
    """Forward and backward: the matrix products, 2 operations for each multiplication and addition.

    The hidden state enters 27 products, as it is zero at the first step. Backward, each product becomes two, one for
    the weights and one for what went in; nothing needs the gradient of the pixels.
    """
    of_input = 2 * BATCH * STEPS * FEATURES * GATES
    of_hidden = 2 * BATCH * (STEPS - 1) * HIDDEN * GATES
    of_readout = 2 * BATCH * HIDDEN * CLASSES
    return (2 * of_input + 3 * of_hidden + 3 * of_readout) / 1e9


def measured_rates(seconds: float = 2.0) -> Rates:
    """GFLOP/s of large products, by precision: the best of many, which is the machine's limit."""
    torch.set_num_threads(THREADS)
    return {str(kind).removeprefix("torch."): _rate(kind, seconds) for kind in (torch.float32, torch.bfloat16)}


def _rate(kind: torch.dtype, seconds: float) -> float:
    left, right = (torch.rand(LARGE, LARGE).to(kind) for _ in range(2))
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        torch.mm(left, right)
        best = min(best, time.perf_counter() - start)
    return float(2 * LARGE**3 / best / 1e9)
