"""Trials as tasks of a Ray cluster, which schedules them and restarts those whose node has died."""

import asyncio
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import ray
from kedro.framework.startup import bootstrap_project

from mnist_lstm.cluster.joining import expect_room, joined, local_actor
from mnist_lstm.core.data.sequences import SequenceSplit
from mnist_lstm.errors import UserError
from mnist_lstm.redaction import redacted
from mnist_lstm.sweep.engine import NextTask, Point, PruneAt, Result, Task
from mnist_lstm.sweep.trial_runs import load_inputs, run_task
from mnist_lstm.temporary_folder import temporary_folder

RETRIES = 3  # of a trial whose node or process has died
PACKED = ("pyproject.toml", "requirements.lock")  # files of the project that nodes need besides conf/


class RayPool:
    """A Ray cluster that runs trials, as a context manager.

    Args:
        project: the project's root; its conf/ and this package are sent to every node.
        address: of the cluster; None starts Ray on this machine alone.
        size: number of trials at once, at most.

    Raises:
        UserError: if there is no such cluster, or its nodes cannot reach the store.
    """

    def __init__(self, project: Path, address: str | None, uri: str, size: int):
        self._project, self._address, self._uri, self._size = project, address, uri, size
        self._inputs: dict[str, Any] = {}

    def __enter__(self) -> "RayPool":
        with ExitStack() as stack:
            folder = stack.enter_context(temporary_folder())
            packed, environment = _pack(self._project, folder), {"MLFLOW_TRACKING_URI": self._uri}
            stack.enter_context(joined(self._address, working_dir=str(packed), env_vars=environment))
            self._expect_store()
            self._queue = local_actor(PruningQueue).remote()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _expect_store(self) -> None:
        hosts = {node["NodeManagerHostname"] for node in ray.nodes() if node["Alive"]}
        if len(hosts) > 1 and self._uri.startswith("sqlite:"):
            raise UserError(
                f"trials on {len(hosts)} machines need an MLflow server that all can reach, found "
                f"{redacted(self._uri)}; start one (`mlflow server`) and name it by MLFLOW_TRACKING_URI."
            )

    def run(self, next_task: NextTask, prune_at: PruneAt) -> Iterator[tuple[Task, Result]]:
        """Yields each task with its result, as `engine.Engine`."""
        running: dict[Any, Task] = {}
        report = self._queue.next_report.remote()

        def submit() -> None:
            if task := next_task():
                running[self._submitted(task)] = task

        for _ in range(self._size):
            submit()
        while running:
            ready = ray.wait([report, *running])[0][0]
            if ready == report:
                name, points = ray.get(report)
                report = self._queue.next_report.remote()
                self._queue.answer.remote(name, prune_at(name, points))
                continue
            yield running.pop(ready), _result(ready)
            submit()

    def _submitted(self, task: Task) -> Any:
        """Ray's reference to the running task; inputs are stored in the cluster once."""
        expect_room(task.cpus, task.gpus)
        if task.folder not in self._inputs:
            self._inputs[task.folder] = ray.put(load_inputs(task.folder))
        remote = ray.remote(num_cpus=task.cpus, num_gpus=task.gpus, max_retries=RETRIES)(_run)
        return remote.remote(task, self._inputs[task.folder], self._queue)


class PruningQueue:
    """The actor that carries points of curves from trials to the sweep, its answers back, and counts attempts."""

    def __init__(self) -> None:
        self._reports: asyncio.Queue[tuple[str, list[Point]]] = asyncio.Queue()
        self._answers: dict[str, asyncio.Future[int | None]] = {}
        self._attempts = Counter[str]()

    async def attempt(self, name: str) -> int:
        """Called by a trial that begins: how often it has begun, this time included."""
        self._attempts[name] += 1
        return self._attempts[name]

    async def prune_at(self, name: str, points: list[Point]) -> int | None:
        """Called by a trial: reports new points, and returns the update to stop at, if any."""
        answer: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._answers[name] = answer
        await self._reports.put((name, points))
        return await answer

    async def next_report(self) -> tuple[str, list[Point]]:
        """Called by the sweep: the next trial that reports, and its points."""
        return await self._reports.get()

    async def answer(self, name: str, update: int | None) -> None:
        """Called by the sweep: answers a trial."""
        self._answers.pop(name).set_result(update)


def _run(task: Task, inputs: dict[str, Any], queue: Any) -> Result:
    """Runs a trial in one of Ray's processes, which may run several in turn."""
    if ray.get(queue.attempt.remote(task.name)) > RETRIES + 1:  # Ray counts no kill for memory as a retry
        return Result("lost", f"its process was ended {RETRIES + 1} times, as where the node has too little memory")
    project = Path.cwd()
    bootstrap_project(project)
    writable = {key: value.writable() if isinstance(value, SequenceSplit) else value for key, value in inputs.items()}
    try:
        return run_task(project, task, lambda points: ray.get(queue.prune_at.remote(task.name, points)), writable)
    except SystemExit as error:  # Ray would take it for a dead worker, and run the trial again
        return Result("failed", f"it exited with {error.code}")


def _result(reference: Any) -> Result:
    try:
        return ray.get(reference)  # type: ignore[no-any-return]
    except ray.exceptions.RayError as error:
        return Result("lost", str(error).partition("\n")[0])


def _pack(project: Path, folder: Path) -> Path:
    """Copies what a node needs of the project, its configuration, into `folder`; the data travels through Ray."""
    shutil.copytree(project / "conf", folder / "conf")
    for name in PACKED:
        if (project / name).is_file():
            shutil.copy(project / name, folder)
    (folder / "src").mkdir()  # Kedro requires one
    (folder / "src" / ".gitkeep").touch()
    return folder
