"""How OpenMP threads wait for each other when the machine is busy."""

import os

import psutil

SAMPLE_SECONDS = 0.05
ENOUGH_FREE = 1.6  # free processors that two spinning threads need, about
SHORT_SPIN = "50"  # turns of an empty loop before a waiting thread gives up its processor


def shorten_spinning() -> None:
    """Lets waiting threads give up their processors soon if other processes are busy; call it before importing torch.

    GNU's OpenMP lets a thread spin until all threads arrive, which is fastest on an idle machine. With one other busy
    process, two threads on two processors spin most of the time and reach a third of their speed on an idle machine;
    with a short spin they reach half. Results are unaffected. If GOMP_SPINCOUNT is set, its value is used.

    Source: https://gcc.gnu.org/onlinedocs/libgomp/GOMP_005fSPINCOUNT.html.
    """
    if (os.cpu_count() or 1) - _busy_processors() < ENOUGH_FREE:
        os.environ.setdefault("GOMP_SPINCOUNT", SHORT_SPIN)


def _busy_processors() -> float:
    """How many processors are busy, sampled for a short time."""
    return float(psutil.cpu_percent(SAMPLE_SECONDS) / 100 * (os.cpu_count() or 1))
