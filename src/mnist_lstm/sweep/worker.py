"""A process that runs trials, one after the other: orders come in by its input, results go out by its output.

    python -m mnist_lstm.sweep.worker PROJECT

Orders and results are lines of JSON; what a run prints goes to the error output, which is a file of the study. When
the input ends, so does the process, in the middle of a trial too: a sweep that is killed leaves none behind.
"""

import json
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from kedro.framework.startup import bootstrap_project

from mnist_lstm.errors import RunStopped, one_line
from mnist_lstm.sweep import trial_runs
from mnist_lstm.sweep.study import Point


class Worker:
    """What an order asks for, each by a method of its name.

    Args:
        project: its root.
        results: the stream for results.
    """

    def __init__(self, project: Path, results: Any):
        self._project, self._results = project, results
        self._orders: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._busy = False
        self._cached: tuple[str, trial_runs.Inputs] = ("", {})

    def work(self) -> None:
        """Carries out orders until there are no more."""
        threading.Thread(target=self._listen, daemon=True).start()
        while order := self._orders.get():
            self._busy = True
            try:
                self._result("done", **(getattr(self, order.pop("order"))(**order) or {}))
            except RunStopped:
                self._result("done")
            except Exception as error:
                self._result("failed", reason=one_line(error))
            self._busy = False

    def prepare(self, env: str | None, params: dict[str, Any], folder: str) -> dict[str, Any]:
        """Ingests and reshapes, and leaves in `folder` what trials read."""
        card = trial_runs.prepare(self._project, env, params, folder)["data_card"]
        return {"title": card["title"], "images": card["sha256"]["train"]}

    def train(self, env: str | None, params: dict[str, Any], folder: str, watched: bool) -> None:
        """Trains and validates: a trial."""
        if self._cached[0] != folder:
            self._cached = folder, trial_runs.prepared(folder)
        trial_runs.train(self._project, env, params, self._cached[1], self._stops_at if watched else None)

    def whole(self, env: str | None, params: dict[str, Any]) -> None:
        """Runs the whole pipeline."""
        trial_runs.whole(self._project, env, params)

    def _stops_at(self, points: list[Point]) -> int | None:
        """Shows new points of the curve to the sweep, and returns the update at which the trial is to stop, if any."""
        self._result("points", points=points)
        order = self._orders.get()
        return order["stop_at"] if order else None

    def _result(self, event: str, **about: Any) -> None:
        print(json.dumps({"event": event} | about), file=self._results, flush=True)

    def _listen(self) -> None:
        for line in sys.stdin:
            self._orders.put(json.loads(line))
        self._orders.put(None)
        if self._busy:
            os.kill(os.getpid(), signal.SIGTERM)  # which ends the run in MLflow as killed


def main(project: str) -> None:
    """Works, with the standard output for results alone."""
    results = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    bootstrap_project(Path(project))
    Worker(Path(project), results).work()


if __name__ == "__main__":
    main(sys.argv[1])
