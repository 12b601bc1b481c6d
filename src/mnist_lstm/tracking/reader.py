"""Reading the record of a run: which run is meant, its provenance, and what it found."""

import io
import json
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from mnist_lstm.core.evaluation.metrics import Predictions
from mnist_lstm.core.training.checkpoint import Checkpoint, from_bytes
from mnist_lstm.errors import UserError, nearest
from mnist_lstm.tracking.writer import WEIGHTS

RUN_ID, SHORT_ID = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{8,31}")
CURVES = ("train/loss", "train/accuracy", "valid/loss", "valid/accuracy")
LATEST, FINISHED = "latest", "FINISHED"
REPRODUCES = "reproduces"  # the tag of a reproduction: the run that it repeats
# MLflow's filter for what a run did
DID = {"trained": f"tags.`{WEIGHTS}` IS NOT NULL", "evaluated": "metrics.`test/accuracy` >= 0"}
MOST_LISTED = 5  # of several runs that a name could mean


@dataclass(frozen=True)
class Record:
    """What a run left in MLflow.

    Attributes:
        run: MLflow's.
        provenance: where it comes from.
        checkpoint: its last, None if it did not train.
        predictions: of the test images, None if it did not evaluate.
        curves: (update, value) of each curve by name.
    """

    run: Any
    provenance: dict[str, Any]
    checkpoint: Checkpoint | None
    predictions: Predictions | None
    curves: dict[str, list[tuple[int, float]]]

    @property
    def metrics(self) -> dict[str, float]:
        """The measures on the test images."""
        return {name: value for name, value in self.run.data.metrics.items() if name.startswith("test/")}


def find_run(client: Any, experiment_name: str, named: str, did: tuple[str, ...] = ()) -> Any:
    """The run that is meant.

    Args:
        client: of MLflow.
        experiment_name: where names are looked up.
        named: a run's id or the first 8 or more digits of it, its name (of several runs the one that finished), or
            "latest": the newest that finished, reproduces no other, and did what `did` says.
        did: keys of DID.

    Raises:
        UserError: if there is none, or more than one.
    """
    import mlflow

    if RUN_ID.fullmatch(named):
        try:
            return client.get_run(named)
        except mlflow.exceptions.MlflowException:
            raise UserError(f"a run must be recorded in the MLflow store, found none with the id {named}.") from None
    if named == LATEST:
        found = finished(client, experiment_name, 1, did)
    else:
        every = [run for run in runs(client, experiment_name) if _is_called(run, named)]
        found = [run for run in every if run.info.status == FINISHED] or every
    if len(found) == 1:
        return found[0]
    raise _ambiguous(named, found) if found else _unknown(named, experiment_name, did, runs(client, experiment_name))


def _is_called(run: Any, named: str) -> bool:
    shortened = SHORT_ID.fullmatch(named) and run.info.run_id.startswith(named)
    return bool(shortened or named == run.info.run_name)


def _ambiguous(named: str, found: list[Any]) -> UserError:
    listed = ", ".join(f"{run.info.run_id[:12]} ({_when(run)})" for run in found[:MOST_LISTED])
    more = f" and {len(found) - MOST_LISTED} older ones" if len(found) > MOST_LISTED else ""
    return UserError(f"a run must be named so that one is meant, {named!r} names {listed}{more}: take the id of one.")


def _when(run: Any) -> str:
    started = datetime.fromtimestamp(run.info.start_time / 1000).strftime("%Y-%m-%d %H:%M:%S")
    return started if run.info.status == FINISHED else f"{started}, {run.info.status.lower()}"


def _unknown(named: str, experiment_name: str, did: tuple[str, ...], known: Iterable[Any]) -> UserError:
    if named == LATEST:
        wanted = " and ".join([FINISHED.lower(), *did])
        return UserError(f"a run must be there to be the {LATEST}: none of {experiment_name!r} has {wanted}.")
    names = {LATEST, *(run.info.run_name for run in known)}
    return UserError(
        f"a run must be named by its id, its name or {LATEST!r}: the experiment {experiment_name!r} has none called "
        f"{named!r}{nearest(named, names)}."
    )


def finished(client: Any, experiment_name: str, count: int, did: tuple[str, ...] = ()) -> list[Any]:
    """The newest `count` runs that finished, reproduce no other and did all `did`, or as many as there are."""
    wanted = [f"attributes.status = '{FINISHED}'", f"tags.{REPRODUCES} IS NULL", *(DID[name] for name in did)]
    return list(islice(runs(client, experiment_name, " AND ".join(wanted)), count))


def runs(client: Any, experiment_name: str, wanted: str = "") -> Iterator[Any]:
    """Every run of the experiment that MLflow's filter `wanted` lets through, newest first."""
    experiment = client.get_experiment_by_name(experiment_name)
    page = None
    while experiment and page != "":
        newest = ["attributes.start_time DESC"]
        found = client.search_runs([experiment.experiment_id], wanted, order_by=newest, page_token=page)
        yield from found
        page = found.token or ""


def read(client: Any, run: Any) -> Record:
    """The whole record of `run`.

    Raises:
        UserError: if this project did not make it, or a file of it is damaged.
    """
    run_id = run.info.run_id
    provenance, checkpoint = (fetched(client, run_id, name) for name in ("provenance.json", "checkpoint.pt"))
    if provenance is None:
        raise UserError(f"run {run_id} must hold provenance.json, found none; not a run of this project.")
    return Record(
        run,
        json.loads(provenance),
        from_bytes(checkpoint, f"checkpoint.pt of run {run_id}") if checkpoint else None,
        predictions(client, run_id),
        curves(client, run_id),
    )


def predictions(client: Any, run_id: str) -> Predictions | None:
    """The run's predictions of the test images, None if it did not evaluate.

    Raises:
        UserError: if the file is damaged.
    """
    name = "predictions.npz"
    if (content := fetched(client, run_id, name)) is None:
        return None
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return Predictions.from_arrays(archive)
    except (ValueError, zipfile.BadZipFile, KeyError, EOFError) as error:
        raise UserError(f"{name} of run {run_id} must be a whole npz file, found {error}; do the run again.") from None


def curves(client: Any, run_id: str) -> dict[str, list[tuple[int, float]]]:
    """The run's (update, value) of each curve by name, empty where nothing was measured."""
    histories = {name: client.get_metric_history(run_id, name) for name in CURVES}
    return {name: sorted((point.step, point.value) for point in history) for name, history in histories.items()}


def digests(run: Any) -> dict[str, str]:
    """The digest of the run's "train", "valid" and "test" images, of those it read."""
    return {
        tag.value: used.dataset.digest
        for used in run.inputs.dataset_inputs
        for tag in used.tags
        if tag.key == "mlflow.data.context"
    }


def fetched(client: Any, run_id: str, name: str) -> bytes | None:
    """The content of a run's artifact, None if it has none of that name."""
    if name not in {file.path for file in client.list_artifacts(run_id)}:
        return None
    with tempfile.TemporaryDirectory(prefix="mnist_lstm-") as folder:
        return Path(client.download_artifacts(run_id, name, folder)).read_bytes()
