"""Worker processes on this machine, each with a pipe for tasks, points of learning curves, and results.

Not `concurrent.futures` or loky: a worker that dies ends all workers of their pools, a running task cannot report, and
workers survive when their parent is killed.
"""

import os
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, NamedTuple

from mnist_lstm.sweep.engine import NextTask, Point, PruneAt, Result, Task

SHUTDOWN_SECONDS = 20  # for a worker to end its run in MLflow when the sweep stops


class _Worker(NamedTuple):
    process: SpawnProcess
    connection: "Connection[Any, Any]"


class LocalPool:
    """Worker processes that live as long as the sweep, as a context manager.

    Args:
        logs: folder for the workers' output, in worker-1.log and so on.
    """

    def __init__(self, project: Path, logs: Path, size: int):
        self._project, self._logs, self._size = project, logs, size
        self._workers: dict[int, _Worker] = {}
        self._running: dict[int, Task] = {}

    def __enter__(self) -> "LocalPool":
        self._logs.mkdir(parents=True, exist_ok=True)
        for number in range(1, self._size + 1):
            self._start(number)
        return self

    def __exit__(self, *error: object) -> None:
        for number, (process, connection) in self._workers.items():
            connection.close()  # ends an idle worker
            if number in self._running:
                process.terminate()
        for process, _ in self._workers.values():
            process.join(SHUTDOWN_SECONDS)
            process.kill()

    def run(self, next_task: NextTask, prune_at: PruneAt = lambda name, points: None) -> Iterator[tuple[Task, Result]]:
        """Yields each task with its result, as `engine.Engine`; a worker whose process ended is replaced."""
        for number in self._workers:
            self._assign(number, next_task())
        while self._running:
            ready = wait([self._workers[number].connection for number in self._running])
            for number in [number for number in self._running if self._workers[number].connection in ready]:
                message = self._receive(number)
                if isinstance(message, Result):
                    yield self._running.pop(number), replace(message, worker=number)
                    self._assign(number, next_task())
                else:
                    self._send(number, prune_at(self._running[number].name, message))

    def run_all(self, tasks: Iterable[Task]) -> list[Result]:
        """The results of tasks, in the order in which they end."""
        waiting = iter(tasks)
        return [result for _, result in self.run(lambda: next(waiting, None))]

    def _start(self, number: int) -> None:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        log = self._logs / f"worker-{number}.log"
        process = context.Process(target=run_tasks, args=(self._project, log, theirs), daemon=True)
        process.start()
        theirs.close()  # so that the end of the process closes the pipe
        self._workers[number] = _Worker(process, ours)

    def _assign(self, number: int, task: Task | None) -> None:
        if task:
            self._running[number] = task
            self._send(number, task)

    def _send(self, number: int, message: Any) -> None:
        with suppress(OSError):  # the process has ended, which `_receive` reports
            self._workers[number].connection.send(message)

    def _receive(self, number: int) -> Any:
        """The worker's result, or new points of its trial's curve."""
        process, connection = self._workers[number]
        try:
            return connection.recv()
        except (EOFError, OSError):
            process.join()
            self._start(number)
            code = process.exitcode or 0
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
            return Result("lost", f"its process {how}")


def run_tasks(project: Path, log: Path, connection: "Connection[Any, Any]") -> None:
    """Runs the tasks that the connection brings, until it closes or the process of the sweep is gone."""
    os.setsid()  # Ctrl-C reaches the sweep alone, which then stops its workers
    with log.open("a") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.chdir(project)
    # These imports take seconds, in which Ctrl-C must not reach this process
    from kedro.framework.startup import bootstrap_project

    from mnist_lstm.sweep.trial_runs import run_task

    bootstrap_project(project)

    def prune_at(points: list[Point]) -> int | None:
        connection.send(points)
        update: int | None = connection.recv()
        return update

    with suppress(EOFError):
        while True:
            connection.send(run_task(project, connection.recv(), prune_at))


def _end_with_parent() -> None:
    if parent := parent_process():
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)  # a run in progress is then recorded as killed
