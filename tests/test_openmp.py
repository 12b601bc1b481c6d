"""Threads spin while they wait only on an idle machine."""

import os
import subprocess
import sys

import pytest

from mnist_lstm import openmp


@pytest.mark.parametrize(
    ("processors", "others", "expected"),
    [(2, 0.0, None), (2, 0.2, None), (2, 1.0, "50"), (2, 1.9, "50"), (4, 1.9, None), (4, 3.0, "50"), (1, 0.0, "50")],
)
def test_threads_do_not_spin_if_too_few_processors_are_free(
    monkeypatch: pytest.MonkeyPatch, processors: int, others: float, expected: str | None
) -> None:
    monkeypatch.setenv("GOMP_SPINCOUNT", "")  # so that it is as before after the test
    del os.environ["GOMP_SPINCOUNT"]
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    monkeypatch.setattr(openmp, "_busy_processors", lambda: others)
    openmp.shorten_spinning()
    assert os.environ.get("GOMP_SPINCOUNT") == expected


def test_a_value_that_the_user_has_set_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    monkeypatch.setattr(openmp, "_busy_processors", lambda: 99.0)
    openmp.shorten_spinning()
    assert os.environ["GOMP_SPINCOUNT"] == "7"


def test_a_busy_process_is_seen() -> None:
    endless = "print(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", endless], stdout=subprocess.PIPE) as busy:
        assert busy.stdout
        busy.stdout.readline()
        seen = max(openmp._busy_processors() for _ in range(10))
        busy.kill()
    assert seen > 0.4
