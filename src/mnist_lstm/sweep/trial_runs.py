"""The runs that a worker makes for a sweep: prepare the inputs, train a trial, run the complete pipeline."""

import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from kedro.framework.session import KedroSession

from mnist_lstm.datasets.npz import SequencesDataset
from mnist_lstm.datasets.text import DataCardDataset
from mnist_lstm.errors import RunStopped, cause_for_user
from mnist_lstm.sections import flattened
from mnist_lstm.sweep.engine import Point, Result, Task
from mnist_lstm.sweep.hook import trial
from mnist_lstm.sweep.study import DIRECTIONS, PRUNED
from mnist_lstm.tracking.payloads import CURVES

INPUTS = {
    "train_sequences": (SequencesDataset, "train_sequences.npz"),
    "valid_sequences": (SequencesDataset, "valid_sequences.npz"),
    "data_card": (DataCardDataset, "data_card.json"),
}  # what training reads: for each catalog entry its class and its file in the folder of prepared inputs

PruneTrialAt = Callable[[list[Point]], int | None]  # new points of the curve -> the update to stop the trial at


def run_task(project: Path, task: Task, prune_at: PruneTrialAt, inputs: dict[str, Any] | None = None) -> Result:
    """Runs a task; an error becomes a result.

    Args:
        prune_at: decides whether a trial stops early, if the task allows it.
        inputs: of a trial, by catalog entry; None reads them from the task's folder.
    """
    try:
        if task.action == "prepare":
            return Result("done", values=_prepare(project, task))
        if task.action == "train":
            _train(project, task, inputs or load_inputs(task.folder), prune_at)
        else:
            _run(project, task)
    except RunStopped:
        return Result("done")
    except Exception as error:
        return Result("failed", str(cause_for_user(error) or f"{type(error).__name__}: {error}"))
    return Result("done")


@lru_cache(maxsize=1)
def load_inputs(folder: str) -> dict[str, Any]:
    """The prepared inputs by catalog entry."""
    return {name: _dataset(name, folder).load() for name in INPUTS}


def _prepare(project: Path, task: Task) -> dict[str, str]:
    """Ingests and reshapes, and saves what trials read."""
    made = _run(project, task, {"enabled": False}, pipeline_names=["ingest", "reshape"])
    for name in INPUTS:
        _dataset(name, task.folder).save(made[name].load())
    card = made["data_card"].load()
    return {"title": card.title, "images": card.sha256["train"]}


def _train(project: Path, task: Task, inputs: dict[str, Any], prune_at: PruneTrialAt) -> None:
    """Trains and validates, without reading the test images."""
    trial.inputs, trial.on_history = inputs, _pruner(prune_at) if task.prunes else None
    try:
        _run(project, task, pipeline_names=["train"], node_names=["train.train"])
    finally:
        trial.inputs, trial.on_history = {}, None


def _run(project: Path, task: Task, tracking: dict[str, Any] | None = None, **selection: Any) -> Any:
    """Runs a part of the pipeline; the data sets that it makes and does not read, by catalog entry."""
    params = task.params | ({"tracking": tracking} if tracking else {})
    values = ",".join(f"{key}={value}" for key, value in flattened(params).items() if "tracking." not in key)
    preset = ["--env", task.env] if task.env else []
    sys.argv = ["kedro", "run", *preset, "--params", values]  # the command MLflow records
    with KedroSession.create(project_path=project, env=task.env, runtime_params=params) as session:
        return session.run(**selection)


def _dataset(name: str, folder: str) -> Any:
    kind, file = INPUTS[name]
    return kind(filepath=f"{folder}/{file}")


def _pruner(prune_at: PruneTrialAt) -> Callable[[Any], None]:
    """A function that takes the history so far, and raises RunStopped if the new points in it end the trial."""
    reported = 0

    def on_history(history: Any) -> None:
        nonlocal reported
        validated = history.dropna(subset="valid_accuracy")
        points = [
            (int(row["iteration"]), {name: row[column] for column, name in CURVES.items() if name in DIRECTIONS})
            for row in validated.iloc[reported:].to_dict("records")
        ]
        reported = len(validated)
        if points and (update := prune_at(points)):
            raise RunStopped(f"{PRUNED} {update}: worse than the median of the trials before it")

    return on_history
