"""Freed buffers stay with the process."""

import ctypes
import subprocess
import sys

import pytest

from mnist_lstm.core.memory import keep_buffers

FAULTS = """
import resource, sys
import numpy as np
from mnist_lstm.core.memory import keep_buffers
if "keep" in sys.argv:
    keep_buffers()
np.ones(1 << 23)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    np.ones(1 << 23)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*words: str) -> int:
    done = subprocess.run([sys.executable, "-c", FAULTS, *words], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's own behaviour")
def test_buffers_that_are_kept_cost_no_page_faults() -> None:
    assert faults("keep") < faults() / 10


def test_another_system_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", pytest.fail)
    keep_buffers()
