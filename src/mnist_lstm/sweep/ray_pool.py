"""Trials as tasks of a Ray cluster, which schedules them and starts those anew whose node has died."""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import ray
from kedro.framework.startup import bootstrap_project

from mnist_lstm.cluster.joining import actor_here, expect_room, joined
from mnist_lstm.core.data.file_backed import own
from mnist_lstm.errors import RunStopped, UserError, one_line
from mnist_lstm.provenance import redacted
from mnist_lstm.sweep import trial_runs
from mnist_lstm.sweep.local_pool import Result, Task
from mnist_lstm.sweep.study import Point

RETRIES = 3  # of a trial whose node or process has died
NEEDED = ("pyproject.toml", "requirements.lock")  # of the project, besides conf/


class Cluster:
    """A Ray cluster for the trials of a sweep; a context, at whose end this process leaves it.

    Args:
        project: its root; its conf/ and this package travel to every node.
        address: of the cluster; None starts Ray on this machine alone.
        uri: the MLflow store of the trials.
        trials: how many at once, at most.

    Raises:
        UserError: if there is no such cluster, or its nodes cannot reach the store.
    """

    def __init__(self, project: Path, address: str | None, uri: str, trials: int):
        self._project, self._address, self._uri, self._trials = project, address, uri, trials
        self._inputs: dict[str, Any] = {}

    def __enter__(self) -> "Cluster":
        with ExitStack() as left:
            folder = left.enter_context(tempfile.TemporaryDirectory(prefix="mnist_lstm-"))
            packed, environment = _packed(self._project, Path(folder)), {"MLFLOW_TRACKING_URI": self._uri}
            left.enter_context(joined(self._address, working_dir=str(packed), env_vars=environment))
            self._expect_store()
            self._pruning = actor_here(PruningQueue).remote()
            self._left = left.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._left.close()

    def _expect_store(self) -> None:
        hosts = {node["NodeManagerHostname"] for node in ray.nodes() if node["Alive"]}
        if len(hosts) > 1 and self._uri.startswith("sqlite:"):
            raise UserError(
                f"trials on {len(hosts)} machines need an MLflow server that all can reach, found "
                f"{redacted(self._uri)}; start one (`mlflow server`) and name it by MLFLOW_TRACKING_URI."
            )

    def run(
        self, take: Callable[[], Task | None], watch: Callable[[Task, list[Point]], int | None]
    ) -> Iterator[tuple[Task, Result]]:
        """Keeps the cluster busy, as `Pool.run` its workers."""
        running: dict[Any, Task] = {}
        shown = self._pruning.shown.remote()

        def submit() -> None:
            if task := take():
                running[self._submitted(task)] = task

        for _ in range(self._trials):
            submit()
        while running:
            ready = ray.wait([shown, *running])[0][0]
            if ready == shown:
                name, points = ray.get(shown)
                shown = self._pruning.shown.remote()
                task = next(task for task in running.values() if task.name == name)
                self._pruning.answer.remote(name, watch(task, points))
                continue
            yield running.pop(ready), _result(ready)
            submit()

    def _submitted(self, task: Task) -> Any:
        """The task of a trial: what it needs is declared, and what it reads lies in the cluster once."""
        expect_room(task.cpus, task.gpus)
        order = task.order
        if (folder := order["folder"]) not in self._inputs:
            self._inputs[folder] = ray.put(trial_runs.prepared(folder))
        pruning = self._pruning if order["watched"] else None
        train = ray.remote(num_cpus=task.cpus, num_gpus=task.gpus, max_retries=RETRIES)(_train)
        return train.remote(task.name, order["env"], order["params"], self._inputs[folder], pruning)


class PruningQueue:
    """The actor between trials and the sweep: points of curves go one way, whether to stop the other."""

    def __init__(self) -> None:
        self._shown: asyncio.Queue[tuple[str, list[Point]]] = asyncio.Queue()
        self._answers: dict[str, asyncio.Future[int | None]] = {}

    async def show(self, name: str, points: list[Point]) -> int | None:
        """Of a trial: shows new points, and returns the update at which it is to stop, if any."""
        answer: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._answers[name] = answer
        await self._shown.put((name, points))
        return await answer

    async def shown(self) -> tuple[str, list[Point]]:
        """Of the sweep: the next trial that shows points, and these."""
        return await self._shown.get()

    async def answer(self, name: str, stop_at: int | None) -> None:
        """Of the sweep: answers a trial."""
        self._answers.pop(name).set_result(stop_at)


def _train(
    name: str, env: str | None, params: dict[str, Any], inputs: trial_runs.Inputs, pruning: Any
) -> dict[str, Any]:
    """A trial, in a process of Ray's that runs several one after the other; returns an answer without its worker."""
    project = Path.cwd()
    bootstrap_project(project)
    own = {key: value if key == "data_card" else _copied(value) for key, value in inputs.items()}

    def stops_at(points: list[Point]) -> int | None:
        return ray.get(pruning.show.remote(name, points))  # type: ignore[no-any-return]

    try:
        trial_runs.train(project, env, params, own, stops_at if pruning else None)
    except RunStopped:
        pass
    except Exception as error:
        return {"event": "failed", "about": {"reason": one_line(error)}}
    return {"event": "done", "about": {}}


def _copied(arrays: dict[str, Any]) -> dict[str, Any]:
    """Arrays of its own: Ray's are shared and cannot be written, which torch wants."""
    return {name: own(array) for name, array in arrays.items()}


def _result(task: Any) -> Result:
    try:
        return Result(0, **ray.get(task))
    except ray.exceptions.RayError as error:
        return Result(0, "gone", {"reason": str(error).partition("\n")[0]})


def _packed(project: Path, folder: Path) -> Path:
    """What a node needs of the project: its configuration. Its data comes through Ray."""
    shutil.copytree(project / "conf", folder / "conf")
    for name in NEEDED:
        if (project / name).is_file():
            shutil.copy(project / name, folder)
    (folder / "src").mkdir()  # Kedro wants one
    (folder / "src" / ".gitkeep").touch()
    return folder
