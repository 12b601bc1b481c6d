"""The calls that write a run into MLflow, as plain values: so that one can be kept on the disk and made later."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mnist_lstm.core.model.classifier import restored_classifier
from mnist_lstm.core.model.export import ExportedModel, ImageClassifier
from mnist_lstm.parameters import ModelParameters
from mnist_lstm.tracking import registry
from mnist_lstm.tracking.log_model import log_model
from mnist_lstm.tracking.registry import Candidate
from mnist_lstm.tracking.store import RegistrySettings

ARTIFACTS, MODEL = "artifacts", "model.npz"  # beside the calls that are kept
FINGERPRINT = "training.fingerprint"  # the tag that tells which training it is
PRECISION = "training.precision"  # the tag of what it computed in, whoever chose that
Values = dict[str, Any]


def created(client: Any, about: Values) -> str:
    """Makes the run, as of the time when it began, and returns its id."""
    run = client.create_run(about["experiment_id"], about["start_time"], about["tags"], about["run_name"])
    return str(run.info.run_id)


def as_values(inputs: Any) -> Values:
    """MLflow's DatasetInput as plain values."""
    return {"dataset": dict(inputs.dataset), "tags": [dict(tag) for tag in inputs.tags]}


def kept_model(exported: ExportedModel, folder: Path) -> Values:
    """Keeps the arrays of a model in one file, and returns the call that makes it again."""
    classifier, weights = exported.classifier, exported.classifier.classifier.state_dict()
    arrays = {f"weights.{name}": value.cpu().numpy() for name, value in weights.items()}
    np.savez(folder / MODEL, examples=exported.examples, order=classifier.order.cpu().numpy(), **arrays)
    return {"model": classifier.classifier.model.model_dump()}


def _model_from(content: Values, folder: Path) -> ExportedModel:
    with np.load(folder / MODEL, allow_pickle=False) as file:
        arrays = dict(file)
    examples, order = arrays.pop("examples"), arrays.pop("order")
    weights = {name.removeprefix("weights."): torch.from_numpy(array) for name, array in arrays.items()}
    classifier = restored_classifier(ModelParameters(**content["model"]), order.shape[1], weights)
    return ExportedModel(ImageClassifier(classifier, order), examples)


def with_files(kind: str, content: Values, folder: Path) -> Values:
    """A kept call with what it needs of the files that were kept with it."""
    if kind == "artifacts":
        return {"folder": str(folder / ARTIFACTS)}
    if kind == "model":
        return {"exported": _model_from(content, folder)}
    if kind == "register":
        return content | {"project": folder.parents[2]}
    return content


def _tag(client: Any, about: Values, content: Values) -> None:
    client.set_tag(about["run_id"], content["key"], content["value"])


def _continues(client: Any, about: Values, content: Values) -> None:
    """Tags the run with the last one before it of the same training, if that did not finish."""
    same = f"tags.`{FINGERPRINT}` = '{content['fingerprint']}' AND attributes.start_time < {about['start_time']}"
    newest = ["attributes.start_time DESC"]
    runs = client.search_runs([about["experiment_id"]], same, max_results=1, order_by=newest)
    if runs and runs[0].info.status != "FINISHED":
        client.set_tag(about["run_id"], "continues", runs[0].info.run_id)


def _name(client: Any, about: Values, content: Values) -> None:
    client.update_run(about["run_id"], name=content["name"])


def _batch(client: Any, about: Values, content: Values) -> None:
    """Logs metrics and parameters; a measure of a model that was logged late is linked to it now."""
    from mlflow.entities import Metric, Param

    model = about.get("model_id")
    metrics = [Metric(**(each | {"model_id": each["model_id"] or _of(each, model)})) for each in content["metrics"]]
    client.log_batch(about["run_id"], metrics=metrics, params=[Param(**each) for each in content["params"]])


def _of(metric: Values, model: str | None) -> str | None:
    return model if metric["key"].startswith("test/") else None


def _inputs(client: Any, about: Values, content: Values) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    inputs = [
        DatasetInput(Dataset(**each["dataset"]), [InputTag(**tag) for tag in each["tags"]])
        for each in content["inputs"]
    ]
    client.log_inputs(about["run_id"], inputs)


def _artifacts(client: Any, about: Values, content: Values) -> None:
    client.log_artifacts(about["run_id"], content["folder"])


def _model(client: Any, about: Values, content: Values) -> None:
    """Logs the model; the run goes on, though MLflow's own logging has ended it as finished."""
    if "model_id" not in about:
        about["model_id"] = log_model(content["exported"], about["run_id"])
    client.update_run(about["run_id"], status="RUNNING")


def _end(client: Any, about: Values, content: Values) -> None:
    """Ends the run; one that finished has no reason, though another run may have taken it for dead meanwhile."""
    client.set_terminated(about["run_id"], content["status"], content["time"])
    if content["status"] == "FINISHED" and "reason" in client.get_run(about["run_id"]).data.tags:
        client.delete_tag(about["run_id"], "reason")


def _register(client: Any, about: Values, content: Values) -> None:
    if registry.VERSION in client.get_run(about["run_id"]).data.tags:  # made before a crash half way
        return
    settings = RegistrySettings(**content["settings"])
    candidate = Candidate(**(content["candidate"] | {"run_id": about["run_id"], "model_id": about["model_id"]}))
    registry.register(client, content["project"], settings, candidate)


SENDERS: dict[str, Callable[[Any, Values, Values], None]] = {
    "tag": _tag,
    "continues": _continues,
    "name": _name,
    "batch": _batch,
    "inputs": _inputs,
    "artifacts": _artifacts,
    "model": _model,
    "end": _end,
    "register": _register,
}
