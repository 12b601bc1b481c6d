"""The worker processes of a sweep: orders to them, and their results in the order in which they come."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

LAST_WORDS = 20  # seconds that a worker has to end its run in MLflow when the sweep is stopped


class Task(NamedTuple):
    """What a worker is to do.

    Attributes:
        name: tells it from every other.
        order: the worker's method, and its arguments.
        cpus, gpus: what it needs, where the engine allots them.
    """

    name: str
    order: dict[str, Any]
    cpus: int = 1
    gpus: int = 0


class Result(NamedTuple):
    """What a worker says.

    Attributes:
        worker: its number.
        event: "points", "done", "failed", or "gone" when its process has ended.
        about: the rest.
    """

    worker: int
    event: str
    about: dict[str, Any]


class Pool:
    """Worker processes that last for a whole sweep; a context, at whose end they are stopped.

    Args:
        project: its root.
        logs: the folder for what they print, a file each.
        workers: how many.
    """

    def __init__(self, project: Path, logs: Path, workers: int):
        self._project, self._logs, self._workers = project, logs, workers
        self._processes: dict[int, subprocess.Popen[str]] = {}
        self._results: queue.SimpleQueue[Result] = queue.SimpleQueue()

    def __enter__(self) -> "Pool":
        self._logs.mkdir(parents=True, exist_ok=True)
        for number in range(1, self._workers + 1):
            self._start(number)
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes.values():
            with suppress(BrokenPipeError):
                process.stdin.close()  # type: ignore[union-attr]
        for process in self._processes.values():
            try:
                process.wait(LAST_WORDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def run(
        self,
        take: Callable[[], Task | None],
        watch: Callable[[Task, list[Any]], int | None] = lambda task, points: None,
    ) -> Iterator[tuple[Task, Result]]:
        """Keeps the workers busy, and yields each task with its result: "done", "failed", or "gone".

        Args:
            take: the next task, None when there are no more.
            watch: is shown new points of a task's curve, and says at which update it stops, if at any.
        """
        running: dict[int, Task] = {}
        for number in self._processes:
            self._hand(number, take(), running)
        while running:
            result = self._results.get()
            task = running.get(result.worker)
            if result.event == "points" and task:
                self._order(result.worker, stop_at=watch(task, result.about["points"]))
                continue
            if result.event == "gone":
                self._start(result.worker)
            if task:
                del running[result.worker]
                yield task, result
                self._hand(result.worker, take(), running)

    def _hand(self, number: int, task: Task | None, running: dict[int, Task]) -> None:
        if task:
            running[number] = task
            self._order(number, **task.order)

    def _start(self, number: int) -> None:
        """Starts the worker of that number, in a group of its own: Ctrl-C is for the sweep, which stops it."""
        with (self._logs / f"worker-{number}.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "mnist_lstm.sweep.worker", str(self._project)],
                cwd=self._project,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=os.name == "posix",
            )
        self._processes[number] = process
        threading.Thread(target=self._listen, args=(number, process), daemon=True).start()

    def _order(self, number: int, **order: Any) -> None:
        """Sends an order; a worker that has just ended says so by itself."""
        with suppress(BrokenPipeError):
            print(json.dumps(order), file=self._processes[number].stdin, flush=True)

    def _listen(self, number: int, process: "subprocess.Popen[str]") -> None:
        for line in process.stdout or ():
            about = json.loads(line)
            self._results.put(Result(number, about.pop("event"), about))
        self._results.put(Result(number, "gone", {"reason": _how(process.wait())}))


def _how(code: int) -> str:
    """How a worker ended."""
    return f"its process was ended by {signal.Signals(-code).name}" if code < 0 else f"its process ended with {code}"
