"""The runs that a worker of a sweep makes, one after the other, without importing or reading anything twice."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kedro.framework.session import KedroSession

from mnist_lstm.datasets.npz import NpzDataset
from mnist_lstm.datasets.text import JSONDataset
from mnist_lstm.errors import RunStopped
from mnist_lstm.sections import flattened
from mnist_lstm.sweep.hook import trial
from mnist_lstm.sweep.study import DIRECTIONS, PRUNED, Point
from mnist_lstm.tracking.writer import CURVES

PREPARED = {"train_sequences": NpzDataset, "valid_sequences": NpzDataset, "data_card": JSONDataset}
SUFFIXES = {NpzDataset: "npz", JSONDataset: "json"}

Inputs = dict[str, Any]  # what training reads, by the names of PREPARED
StopsAt = Callable[[list[Point]], int | None]  # new points of a curve to the update at which the trial is to stop


def prepare(project: Path, env: str | None, params: dict[str, Any], folder: str) -> Inputs:
    """Ingests and reshapes, and leaves in `folder` what trials read."""
    trial.kept = dict.fromkeys(PREPARED)
    try:
        _run(project, env, params | {"tracking": {"enabled": False}}, pipeline_names=["ingest", "reshape"])
        for name, data in trial.kept.items():
            _dataset(name, folder).save(data)
        return trial.kept
    finally:
        trial.kept = {}


def prepared(folder: str) -> Inputs:
    """What `prepare` left."""
    return {name: _dataset(name, folder).load() for name in PREPARED}


def train(
    project: Path, env: str | None, params: dict[str, Any], inputs: Inputs, stops_at: StopsAt | None = None
) -> None:
    """Trains and validates: a trial. The test images are not read.

    Raises:
        RunStopped: if `stops_at` says so.
    """
    trial.inputs, trial.watch = inputs, _Watch(stops_at).show if stops_at else None
    try:
        _run(project, env, params, pipeline_names=["train"], node_names=["train"])
    finally:
        trial.inputs, trial.watch = {}, None


def whole(project: Path, env: str | None, params: dict[str, Any]) -> None:
    """Runs the whole pipeline."""
    _run(project, env, params)


def _run(project: Path, env: str | None, params: dict[str, Any], **selection: Any) -> None:
    values = ",".join(f"{key}={value}" for key, value in flattened(params).items() if "tracking." not in key)
    preset = ["--env", env] if env else []
    sys.argv = shlex.split(shlex.join(["kedro", "run", *preset, "--params", values]))  # what the run is recorded as
    with KedroSession.create(project_path=project, env=env, runtime_params=params) as session:
        session.run(**selection)


def _dataset(name: str, folder: str) -> Any:
    kind = PREPARED[name]
    return kind(filepath=f"{folder}/{name}.{SUFFIXES[kind]}")


class _Watch:
    """Shows each validation of a trial once."""

    def __init__(self, stops_at: StopsAt):
        self._stops_at, self._shown = stops_at, 0

    def show(self, history: Any) -> None:
        """Shows those that are new."""
        validated = history.dropna(subset="valid_accuracy")
        points = [
            (int(row["iteration"]), {name: row[column] for column, name in CURVES.items() if name in DIRECTIONS})
            for row in validated.iloc[self._shown :].to_dict("records")
        ]
        self._shown = len(validated)
        if points and (update := self._stops_at(points)):
            raise RunStopped(f"{PRUNED} {update}: worse than the median of the trials before it")
