"""How often Ray runs a trial whose process ends before the trial does."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from mnist_lstm.sweep.engine import Result, Task

pytest.importorskip("ray")
from mnist_lstm.sweep import ray_pool
from mnist_lstm.sweep.ray_pool import RETRIES, PruningQueue


@pytest.mark.parametrize(
    ("attempts", "status", "reason"),
    [
        (RETRIES + 1, "failed", "it exited with 3"),
        (RETRIES + 2, "lost", "its process was ended 4 times, as where the node"),
    ],
)
def test_a_trial_that_exits_or_whose_process_is_ended_too_often_is_not_run_for_ever(
    monkeypatch: pytest.MonkeyPatch, attempts: int, status: str, reason: str
) -> None:
    def leaves(*_: Any) -> Result:
        raise SystemExit(3)

    queue = PruningQueue()
    found = [asyncio.run(queue.attempt("one")) for _ in range(attempts)]
    assert found == [*range(1, attempts + 1)]
    monkeypatch.setattr("ray.get", lambda value: value)
    monkeypatch.setattr(ray_pool, "bootstrap_project", lambda _: None)
    monkeypatch.setattr(ray_pool, "run_task", leaves)
    actor = SimpleNamespace(attempt=SimpleNamespace(remote=lambda _: found[-1]))
    result = ray_pool._run(Task("one", "train", None, {}), {}, actor)
    assert result.status == status
    assert result.reason.startswith(reason)
