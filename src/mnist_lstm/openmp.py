"""How the threads of a computation wait for one another."""

import os
import time

import psutil

LOOK = 0.05  # seconds
FREE = 1.6  # processors that two threads must find free, about, to spin
SHORT = "50"  # turns of an empty loop before a waiting thread lets others have its processor


def wait_for_others() -> None:
    """Where other processes compute too, threads that wait soon make way for them. Call it before torch is imported.

    GNU's OpenMP lets a thread spin until the others arrive, which is fastest on a machine of one's own. Beside a busy
    process two threads on two processors then spin for one another most of the time, at a third of their speed alone;
    made to wait so, they keep half of it. No result changes. GOMP_SPINCOUNT, where it is set, decides.

    Source: https://gcc.gnu.org/onlinedocs/libgomp/GOMP_005fSPINCOUNT.html.
    """
    if (os.cpu_count() or 1) - _busy_processors() < FREE:
        os.environ.setdefault("GOMP_SPINCOUNT", SHORT)


def _busy_processors() -> float:
    """How many processors others kept busy in a short while."""
    start, before = time.perf_counter(), _busy_seconds()
    time.sleep(LOOK)
    return (_busy_seconds() - before) / (time.perf_counter() - start)


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.system + getattr(times, "nice", 0.0))
