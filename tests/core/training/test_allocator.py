"""The process reuses freed buffers while it trains."""

import ctypes
import subprocess
import sys

import pytest

from mnist_lstm.core.training.allocator import reused_buffers

PROBE = """
import resource, sys
from contextlib import nullcontext
import numpy as np, psutil
from mnist_lstm.core.training.allocator import reused_buffers
with reused_buffers() if "reuse" in sys.argv else nullcontext():
    np.ones(1 << 23)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        np.ones(1 << 23)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    print(psutil.Process().memory_info().rss)
print(psutil.Process().memory_info().rss)
"""


def probe(*words: str) -> tuple[int, ...]:
    """Page faults of ten arrays of 64 MiB, and resident bytes before and after the buffers were returned."""
    done = subprocess.run([sys.executable, "-c", PROBE, *words], capture_output=True, text=True, check=True)
    return tuple(int(line) for line in done.stdout.split())


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's own behaviour")
def test_reused_buffers_cost_no_page_faults_and_are_returned_at_the_end() -> None:
    (faults, held, left), (usual_faults, *_) = probe("reuse"), probe()
    assert faults < usual_faults / 10
    assert held - left > 60 << 20


def test_another_system_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", pytest.fail)
    with reused_buffers():
        pass
