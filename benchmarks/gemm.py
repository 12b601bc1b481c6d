"""How fast the machine multiplies matrices, and how much of that one update of the network needs."""

import ctypes
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils import mkldnn

from mnist_lstm.core.training.instructions import multiplies_bfloat16

CLASSES, THREADS, LARGE = 10, 2, 2048
# bfloat16 where the processor multiplies in it
PRECISIONS = ["float32", *(["bfloat16"] if multiplies_bfloat16(torch.device("cpu")) else [])]

Rates = dict[str, float]


def gflop_of_an_update(batch: int = 128, steps: int = 28, features: int = 28, hidden: int = 128) -> float:
    """Forward and backward: the matrix products, 2 operations for each multiplication and addition.

    The hidden state enters T - 1 products, as it is zero at the first step. Backward, each product becomes two, one for
    the weights and one for what went in; nothing needs the gradient of the pixels.
    """
    gates = 4 * hidden
    of_input = 2 * batch * steps * features * gates
    of_hidden = 2 * batch * (steps - 1) * hidden * gates
    of_readout = 2 * batch * hidden * CLASSES
    return (2 * of_input + 3 * of_hidden + 3 * of_readout) / 1e9


def measured_rates(seconds: float = 2.0) -> Rates:
    """The machine's GFLOP/s by precision: the best of many large products by each of torch's two libraries."""
    torch.set_num_threads(THREADS)
    left = torch.rand(LARGE, LARGE)
    rates = {}
    with torch.inference_mode():
        for precision in PRECISIONS:
            kind = getattr(torch, precision)
            products = (_by_blas(left, kind), _by_onednn(left, kind))
            rates[precision] = max(_rate(product, seconds) for product in products)
    return rates


def limit(threads: int = THREADS, rounds: int = 10_000_000) -> float:
    """The GFLOP/s in float32 of multiplications in registers alone, by limit.c: the best of five."""
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "limit.so"
        command = ["cc", "-O3", "-march=native", "-funroll-loops", "-shared", "-fPIC"]
        subprocess.run([*command, str(Path(__file__).with_name("limit.c")), "-o", str(built)], check=True)
        library = ctypes.CDLL(str(built))
    library.multiply.argtypes, library.multiply.restype = [ctypes.c_int64, ctypes.c_float], ctypes.c_float
    library.operations.argtypes, library.operations.restype = [ctypes.c_int64], ctypes.c_int64
    seconds = min(_together(lambda: library.multiply(rounds, 0.5), threads) for _ in range(5))
    return float(threads * library.operations(rounds) / seconds / 1e9)


def _together(work: Callable[[], object], threads: int) -> float:
    """The seconds until as many threads have each done the work."""
    workers = [threading.Thread(target=work) for _ in range(threads)]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - start


def _by_blas(left: Tensor, kind: torch.dtype) -> Callable[[], Tensor]:
    factor = left.to(kind)
    return lambda: torch.mm(factor, factor)


def _by_onednn(left: Tensor, kind: torch.dtype) -> Callable[[], Tensor]:
    """The library that computes nn.LSTM; what it multiplies by lies in its own order already."""
    layer = mkldnn.to_mkldnn(nn.Linear(LARGE, LARGE).eval(), kind)
    factor = left.to_mkldnn(kind)
    return lambda: layer(factor)


def _rate(product: Callable[[], Tensor], seconds: float) -> float:
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        product()
        best = min(best, time.perf_counter() - start)
    return float(2 * LARGE**3 / best / 1e9)
