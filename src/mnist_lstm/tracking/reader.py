"""Reads what recorded runs left in MLflow."""

import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from mnist_lstm.core.evaluation.metrics import Predictions
from mnist_lstm.core.training.checkpoint import Checkpoint, from_bytes
from mnist_lstm.errors import UserError
from mnist_lstm.temporary_folder import temporary_folder
from mnist_lstm.tracking import tags

# Folders of a run's artifacts, by the type of file; checkpoint, predictions and provenance lie in none
FOLDERS = {".png": "figures", ".csv": "tables", ".json": "tables", ".html": "report", ".md": "report"}
CURVES = ("train/loss", "train/accuracy", "valid/loss", "valid/accuracy")
FINISHED, RUNNING = "FINISHED", "RUNNING"
# Filters of MLflow for runs that did something, or that a person started and no sweep
DID = {
    "trained": f"tags.`{tags.WEIGHTS}` IS NOT NULL",
    "evaluated": "metrics.`test/accuracy` >= 0",
    "been started alone": f"tags.`{tags.PARENT}` IS NULL",
}


@dataclass(frozen=True)
class Record:
    """What a run left in MLflow."""

    run: Any  # MLflow's run
    provenance: dict[str, Any]  # content of provenance.json
    checkpoint: Checkpoint | None  # the last one, None if the run did not train
    predictions: Predictions | None  # of the test images, None if the run did not evaluate
    curves: dict[str, list[tuple[int, float]]]  # (update, value) of each curve by name

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics on the test images."""
        return {name: value for name, value in self.run.data.metrics.items() if name.startswith("test/")}


def if_there(get: Callable[..., Any], *which: str) -> Any | None:
    """What a method of MLflow's client gets, None if there is no such thing."""
    from mlflow.exceptions import MlflowException

    try:
        return get(*which)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def finished(client: Any, experiment_name: str, count: int, did: tuple[str, ...] = ()) -> list[Any]:
    """At most `count` runs, newest first, that finished, do not reproduce another, and did all of `did`."""
    wanted = [f"attributes.status = '{FINISHED}'", f"tags.{tags.REPRODUCES} IS NULL", *(DID[name] for name in did)]
    return list(islice(runs(client, experiment_name, " AND ".join(wanted)), count))


def runs(client: Any, experiment_name: str, wanted: str = "") -> Iterator[Any]:
    """The runs of an experiment that pass MLflow's filter `wanted`, newest first."""
    experiment = client.get_experiment_by_name(experiment_name)
    page = None
    while experiment and page != "":
        newest = ["attributes.start_time DESC"]
        found = client.search_runs([experiment.experiment_id], wanted, order_by=newest, page_token=page)
        yield from found
        page = found.token or ""


def read(client: Any, run: Any) -> Record:
    """The record of `run`.

    Raises:
        UserError: if another project made it, or one of its files is damaged.
    """
    run_id = run.info.run_id
    provenance, checkpoint = (fetched(client, run_id, name) for name in ("provenance.json", "checkpoint.pt"))
    if provenance is None:
        raise missing(run, "provenance.json", "is not a run of this project")
    return Record(
        run,
        json.loads(provenance),
        from_bytes(checkpoint, f"checkpoint.pt of run {run_id}") if checkpoint else None,
        predictions(client, run_id),
        curves(client, run_id),
    )


def missing(run: Any, name: str, otherwise: str) -> UserError:
    """The error for an artifact that a run lacks: its files are gone if the run wrote weights, else it `otherwise`."""
    wrote, place = tags.WEIGHTS in run.data.tags, run.info.artifact_uri
    if not wrote and run.info.status == RUNNING:
        return UserError(f"run {run.info.run_id} must hold {name}, found none yet: it is running; wait for its end.")
    found = f"the run wrote it, but {place} lacks it; bring that folder back, or" if wrote else f"the run {otherwise};"
    return UserError(f"run {run.info.run_id} must hold {name}, found none: {found} name another run.")


def predictions(client: Any, run_id: str) -> Predictions | None:
    """The predictions of the test images, None if the run did not evaluate.

    Raises:
        UserError: if the file is damaged.
    """
    name = "predictions.npz"
    if (content := fetched(client, run_id, name)) is None:
        return None
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return Predictions.from_arrays(archive)
    except (ValueError, zipfile.BadZipFile, zlib.error, KeyError, EOFError) as error:
        raise UserError(f"{name} of run {run_id} must be a complete npz file, found {error}; run it again.") from None


def curves(client: Any, run_id: str) -> dict[str, list[tuple[int, float]]]:
    """Points (update, value) of each curve by name; a curve may be empty."""
    histories = {name: client.get_metric_history(run_id, name) for name in CURVES}
    return {name: sorted((point.step, point.value) for point in history) for name, history in histories.items()}


def of_kept_weights(curves: dict[str, list[tuple[int, float]]], keep: str | None) -> dict[str, float]:
    """Accuracy and loss on the validation images of the weights that classify; empty without a validation.

    These are the last ones, or with `keep` "best" the first with the best accuracy.
    """
    if not (accuracy := curves["valid/accuracy"]):
        return {}
    at, _ = max(accuracy, key=lambda point: (point[1], -point[0])) if keep == "best" else accuracy[-1]
    return {name: value for name in ("valid/accuracy", "valid/loss") for update, value in curves[name] if update == at}


def figures(client: Any, run_id: str) -> dict[str, bytes]:
    """The figures that the run recorded, PNG files by their names."""
    paths = [Path(file.path) for folder in (None, FOLDERS[".png"]) for file in client.list_artifacts(run_id, folder)]
    names = sorted({path.name for path in paths if path.suffix == ".png"})
    return {name: fetched(client, run_id, name) or b"" for name in names}


def digests(run: Any) -> dict[str, str]:
    """Digests of the images that the run used, by "train", "valid" and "test"."""
    return {
        tag.value: used.dataset.digest
        for used in run.inputs.dataset_inputs
        for tag in used.tags
        if tag.key == "mlflow.data.context"
    }


def artifacts(client: Any, run_id: str) -> dict[str, bytes]:
    """The content of every artifact of a run, by its name, with its folder where it lies in one."""
    folders = [None, *sorted(set(FOLDERS.values()))]
    places = [file.path for folder in folders for file in client.list_artifacts(run_id, folder) if not file.is_dir]
    with temporary_folder() as copy:
        return {place: Path(client.download_artifacts(run_id, place, str(copy))).read_bytes() for place in places}


def fetched(client: Any, run_id: str, name: str) -> bytes | None:
    """The content of an artifact, None if the run does not have it.

    Args:
        name: of the file; it lies in the folder for files of its type or, as all of version 0.1, in none.
    """
    for folder in dict.fromkeys((None, FOLDERS.get(Path(name).suffix))):
        place = f"{folder}/{name}" if folder else name
        if place in {file.path for file in client.list_artifacts(run_id, folder)}:
            with temporary_folder() as copy:
                return Path(client.download_artifacts(run_id, place, str(copy))).read_bytes()
    return None
