"""The interface of what runs tasks, which the local pool and the Ray cluster share, and its messages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Point = tuple[int, dict[str, float]]  # of a trial's curve: update, and the metrics on the validation images after it


@dataclass(frozen=True)
class Task:
    """Work for one worker.

    Attributes:
        name: unique among the running tasks; for a trial, the name of its run.
        action: prepare inputs in `folder`, train a trial on them, or run the complete pipeline.
        env: the preset, None for none.
        params: nested parameters, as of `--params`.
        folder: of the prepared inputs.
        prunes: whether the sweep decides at each validation of a trial if it continues.
        cpus, gpus: what Ray reserves for it.
    """

    name: str
    action: Literal["prepare", "train", "run_pipeline"]
    env: str | None
    params: dict[str, Any]
    folder: str = ""
    prunes: bool = False
    cpus: int = 1
    gpus: int = 0


@dataclass(frozen=True)
class Result:
    """How a task ended.

    Attributes:
        status: "done", "failed", or "lost" if the worker's process ended before the task did.
        reason: why it is not "done".
        values: of "prepare": the "title" of the data and the digest of its "images".
        worker: the number of the local worker.
    """

    status: Literal["done", "failed", "lost"]
    reason: str = ""
    values: dict[str, str] = field(default_factory=dict)
    worker: int = 0


NextTask = Callable[[], Task | None]  # None when no task is left
PruneAt = Callable[[str, list[Point]], int | None]  # task and new points of its curve -> the update to stop it at


class Engine(Protocol):
    """Runs tasks, several at once."""

    def run(self, next_task: NextTask, prune_at: PruneAt) -> Iterator[tuple[Task, Result]]:
        """Yields each task with its result as it ends; takes the next one whenever a worker is free."""
        ...
