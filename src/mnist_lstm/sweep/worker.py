"""A process that runs trials, one after the other: orders come in by its input, answers go out by its output.

    python -m mnist_lstm.sweep.worker PROJECT

Orders and answers are lines of JSON; what a run prints goes to the error output, which is a file of the study. When
the input ends, so does the process, in the middle of a trial too: a sweep that is killed leaves none behind.
"""

import json
import os
import queue
import shlex
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from mnist_lstm.core.memory import keep_buffers
from mnist_lstm.datasets.arrays import NpzDataset
from mnist_lstm.datasets.reports import JSONDataset
from mnist_lstm.errors import Stopped, cause_for_user
from mnist_lstm.parameters import flattened
from mnist_lstm.sweep.hook import trial
from mnist_lstm.tracking.recorder import CURVES
from mnist_lstm.tracking.studies import DIRECTIONS, PRUNED, Point

PREPARED = {"train_sequences": NpzDataset, "valid_sequences": NpzDataset, "data_card": JSONDataset}
SUFFIXES = {NpzDataset: "npz", JSONDataset: "json"}


class Worker:
    """What an order asks for, each by a method of its name.

    Args:
        project: its root.
        answers: the stream for answers.
    """

    def __init__(self, project: Path, answers: Any):
        self._project, self._answers = project, answers
        self._orders: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._busy = False
        self._cached: tuple[str, dict[str, Any]] = ("", {})

    def work(self) -> None:
        """Carries out orders until there are no more."""
        threading.Thread(target=self._listen, daemon=True).start()
        while order := self._orders.get():
            self._busy = True
            try:
                self._answer("done", **(getattr(self, order.pop("order"))(**order) or {}))
            except Stopped as stopped:
                self._answer("done", pruned=str(stopped))
            except Exception as error:
                self._answer("failed", reason=str(cause_for_user(error) or f"{type(error).__name__}: {error}"))
            self._busy = False

    def prepare(self, env: str | None, params: dict[str, Any], folder: str) -> dict[str, Any]:
        """Ingests and reshapes, and leaves in `folder` what trials read."""
        trial.kept = dict.fromkeys(PREPARED)
        try:
            self._run(env, params | {"tracking": {"enabled": False}}, pipeline_names=["ingest", "reshape"])
            for name, data in trial.kept.items():
                _dataset(name, folder).save(data)
            card = trial.kept["data_card"]
            return {"title": card["title"], "images": card["sha256"]["train"]}
        finally:
            trial.kept = {}

    def train(self, env: str | None, params: dict[str, Any], folder: str, watched: bool) -> None:
        """Trains and validates: a trial. The test images are not read."""
        if self._cached[0] != folder:
            self._cached = folder, {name: _dataset(name, folder).load() for name in PREPARED}
        trial.inputs, trial.watch = self._cached[1], _Watch(self).show if watched else None
        try:
            self._run(env, params, pipeline_names=["train"], node_names=["train"])
        finally:
            trial.inputs, trial.watch = {}, None

    def whole(self, env: str | None, params: dict[str, Any]) -> None:
        """Runs the whole pipeline."""
        self._run(env, params)

    def stops_at(self, points: list[Point]) -> int | None:
        """Shows new points of the curve to the sweep, and returns the update at which the trial is to stop, if any."""
        self._answer("points", points=points)
        order = self._orders.get()
        return order["stop_at"] if order else None

    def _run(self, env: str | None, params: dict[str, Any], **selection: Any) -> None:
        values = ",".join(f"{key}={value}" for key, value in flattened(params).items() if "tracking." not in key)
        preset = ["--env", env] if env else []
        sys.argv = shlex.split(shlex.join(["kedro", "run", *preset, "--params", values]))  # what the run is recorded as
        with KedroSession.create(project_path=self._project, env=env, runtime_params=params) as session:
            session.run(**selection)

    def _answer(self, event: str, **about: Any) -> None:
        print(json.dumps({"event": event} | about), file=self._answers, flush=True)

    def _listen(self) -> None:
        for line in sys.stdin:
            self._orders.put(json.loads(line))
        self._orders.put(None)
        if self._busy:
            os.kill(os.getpid(), signal.SIGTERM)  # which ends the run in MLflow as killed


class _Watch:
    """Shows each validation of a trial once."""

    def __init__(self, worker: Worker):
        self._worker, self._shown = worker, 0

    def show(self, history: Any) -> None:
        """Shows those that are new.

        Raises:
            Stopped: if the trial is not to go on.
        """
        validated = history.dropna(subset="valid_accuracy")
        rows = validated.iloc[self._shown :].to_dict("records")
        points = [
            (int(row["iteration"]), {name: row[column] for column, name in CURVES.items() if name in DIRECTIONS})
            for row in rows
        ]
        self._shown = len(validated)
        if points and (update := self._worker.stops_at(points)):
            raise Stopped(f"{PRUNED} {update}: worse than the median of the trials before it")


def _dataset(name: str, folder: str) -> Any:
    kind = PREPARED[name]
    return kind(filepath=f"{folder}/{name}.{SUFFIXES[kind]}")


def main(project: str) -> None:
    """Works, with the standard output for answers alone."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    bootstrap_project(Path(project))
    keep_buffers()
    Worker(Path(project), answers).work()


if __name__ == "__main__":
    main(sys.argv[1])
