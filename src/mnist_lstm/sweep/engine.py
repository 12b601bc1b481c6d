"""The interface of what runs tasks, which the local pool and the Ray cluster share, and its messages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Point = tuple[int, dict[str, float]]  # of a trial's curve: update, and the metrics on the validation images after it


@dataclass(frozen=True)
class Task:
    """Work for one worker."""

    name: str  # unique among the running tasks; for a trial, the name of its run
    # Prepare inputs in `folder`, train a trial on them, or run the complete pipeline
    action: Literal["prepare", "train", "run_pipeline"]
    env: str | None  # the preset, None for none
    params: dict[str, Any]  # nested parameters, as of `--params`
    folder: str = ""  # of the prepared inputs
    prunes: bool = False  # whether the sweep decides at each validation of a trial if it continues
    cpus: int = 1  # that Ray reserves for it
    gpus: int = 0  # likewise


@dataclass(frozen=True)
class Result:
    """How a task ended."""

    # "done", "failed", or "lost" if the worker's process ended before the task did
    status: Literal["done", "failed", "lost"]
    reason: str = ""  # why it is not "done"
    # Of "prepare": the "title" of the data and the digest of its "images"
    values: dict[str, str] = field(default_factory=dict)
    worker: int = 0  # the number of the local worker


NextTask = Callable[[], Task | None]  # None when no task is left
PruneAt = Callable[[str, list[Point]], int | None]  # task and new points of its curve -> the update to stop it at


class Engine(Protocol):
    """Runs tasks, several at once."""

    def run(self, next_task: NextTask, prune_at: PruneAt) -> Iterator[tuple[Task, Result]]:
        """Yields each task with its result as it ends; takes the next one whenever a worker is free."""
        ...
