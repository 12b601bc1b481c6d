"""The operations that write a run into MLflow: plain values, so that one can be stored and sent later.

Each sender makes MLflow's entities from an operation's content. To send an operation twice changes nothing.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from mnist_lstm.core.model.classifier import restored_classifier
from mnist_lstm.core.model.export import ExportedModel, ImageClassifier
from mnist_lstm.parameters import ModelParameters
from mnist_lstm.temporary_folder import temporary_folder
from mnist_lstm.tracking import registry, tags
from mnist_lstm.tracking.log_model import log_model

ARTIFACTS, MODEL = "artifacts", "model.npz"  # in the folder of a stored run


class Operation(NamedTuple):
    """One change of a run."""

    kind: str  # a key of SENDERS
    # What the sender needs; JSON values, but for the bytes of "artifacts" and the model of "model"
    content: dict[str, Any]


def stored(operation: Operation, folder: Path) -> Operation:
    """The operation in JSON values; its files and arrays are copied into `folder`."""
    kind, content = operation
    if kind == "artifacts":
        _write(content["files"], folder / ARTIFACTS)
        content = {}
    elif kind == "model":
        content = _store_model(content, folder)
    elif kind == "register":
        content = {key: value for key, value in content.items() if key != "project"}
    return Operation(kind, content)


def restored(operation: Operation, folder: Path) -> Operation:
    """The inverse of `stored`; `folder` lies in data/unsent/ of the project."""
    kind, content = operation
    if kind == "artifacts":
        content = {"files": _read(folder / ARTIFACTS)}
    elif kind == "model":
        content = {"exported": _restore_model(content, folder), "name": content.get("name", "model")}  # none in 0.1
    elif kind == "register":
        content = content | {"project": folder.parents[2]}
    return Operation(kind, content)


def _write(files: dict[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _read(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is missing")
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _store_model(content: dict[str, Any], folder: Path) -> dict[str, Any]:
    exported = content["exported"]
    classifier, weights = exported.classifier, exported.classifier.classifier.state_dict()
    arrays = {f"weights.{name}": value.cpu().numpy() for name, value in weights.items()}
    np.savez(folder / MODEL, examples=exported.examples, order=classifier.order.cpu().numpy(), **arrays)
    return {"model": classifier.classifier.model.model_dump(), "name": content["name"]}


def _restore_model(content: dict[str, Any], folder: Path) -> ExportedModel:
    with np.load(folder / MODEL, allow_pickle=False) as file:
        arrays = dict(file)
    examples, order = arrays.pop("examples"), arrays.pop("order")
    weights = {name.removeprefix("weights."): torch.from_numpy(array) for name, array in arrays.items()}
    model = ModelParameters.recorded(content["model"])
    classifier = restored_classifier(model, order.shape[1], weights)
    return ExportedModel(ImageClassifier(classifier, order), examples)


def create_run(client: Any, run: dict[str, Any]) -> str:
    """Makes the run in MLflow, with the time at which it really started, and returns its id."""
    made = client.create_run(run["experiment_id"], run["start_time"], run["tags"], run["run_name"])
    return str(made.info.run_id)


def send(client: Any, run: dict[str, Any], operation: Operation) -> Any:
    """Sends an operation to MLflow, and returns the decision in words for "register", else None.

    Args:
        run: "run_id", "experiment_id", "start_time" and, once the model is logged, "model_id".
    """
    return SENDERS[operation.kind](client, run, operation.content)


def _continues(client: Any, run: dict[str, Any], content: dict[str, Any]) -> None:
    """Tags the run with the last one before it of the same training, if that did not finish."""
    same = f"tags.`{tags.FINGERPRINT}` = '{content['fingerprint']}' AND attributes.start_time < {run['start_time']}"
    newest = ["attributes.start_time DESC"]
    runs = client.search_runs([run["experiment_id"]], same, max_results=1, order_by=newest)
    if runs and runs[0].info.status != "FINISHED":
        client.set_tag(run["run_id"], tags.CONTINUES, runs[0].info.run_id)


def _batch(client: Any, run: dict[str, Any], content: dict[str, Any]) -> None:
    """Logs metrics and parameters; metrics on the test images are linked to the logged model."""
    from mlflow.entities import Metric, Param

    metrics = [
        Metric(**(each | {"model_id": run.get("model_id") if each["key"].startswith("test/") else None}))
        for each in content.get("metrics", [])
    ]
    params = [Param(**each) for each in content.get("params", [])]
    client.log_batch(run["run_id"], metrics=metrics, params=params)


def _inputs(client: Any, run: dict[str, Any], content: dict[str, Any]) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    inputs = [
        DatasetInput(Dataset(**each["dataset"]), [InputTag(**tag) for tag in each["tags"]])
        for each in content["inputs"]
    ]
    client.log_inputs(run["run_id"], inputs)


def _artifacts(client: Any, run: dict[str, Any], content: dict[str, Any]) -> None:
    with temporary_folder() as folder:
        _write(content["files"], folder)
        client.log_artifacts(run["run_id"], str(folder))


def _model(client: Any, run: dict[str, Any], content: dict[str, Any]) -> None:
    if "model_id" not in run:
        run["model_id"] = log_model(client, content["exported"], run["run_id"], content["name"])


def _end(client: Any, run: dict[str, Any], content: dict[str, Any]) -> None:
    """Ends the run, and removes the tags that are of no use then.

    A finished run may have a reason from another one that took it for dead during an outage.
    """
    client.set_terminated(run["run_id"], content["status"], content["time"])
    found = client.get_run(run["run_id"]).data.tags if content["status"] == "FINISHED" else {}
    for key in {tags.REASON, tags.PROCESS} & found.keys():
        client.delete_tag(run["run_id"], key)


def _register(client: Any, run: dict[str, Any], content: dict[str, Any]) -> str | None:
    """Registers the model, unless that was done before a crash."""
    if registry.VERSION in client.get_run(run["run_id"]).data.tags:
        return None
    candidate = registry.Candidate(
        **(content["candidate"] | {"run_id": run["run_id"], "model_id": run.get("model_id", "")})
    )
    return registry.register(client, content["project"], candidate, **content["settings"])


SENDERS: dict[str, Callable[[Any, dict[str, Any], dict[str, Any]], Any]] = {
    "tag": lambda client, run, content: client.set_tag(run["run_id"], **content),
    "continues": _continues,
    "name": lambda client, run, content: client.update_run(run["run_id"], **content),
    "batch": _batch,
    "inputs": _inputs,
    "artifacts": _artifacts,
    "model": _model,
    "end": _end,
    "register": _register,
}
