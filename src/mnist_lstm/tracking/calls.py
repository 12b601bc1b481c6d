"""The calls that write a run into MLflow, as plain values: so that one can be kept on the disk and made later."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mnist_lstm.core import checkpoint
from mnist_lstm.core.models import ExportedModel, ImageClassifier
from mnist_lstm.tracking import registry
from mnist_lstm.tracking.model import log_model
from mnist_lstm.tracking.registry import Candidate
from mnist_lstm.tracking.store import RegistrySettings

ARTIFACTS, EXAMPLES = "artifacts", "examples.npy"  # beside the calls that are kept
Values = dict[str, Any]


def created(client: Any, about: Values) -> str:
    """Makes the run, as of the time when it began, and returns its id."""
    run = client.create_run(about["experiment_id"], about["start_time"], about["tags"], about["run_name"])
    return str(run.info.run_id)


def as_values(inputs: Any) -> Values:
    """MLflow's DatasetInput as plain values."""
    return {"dataset": dict(inputs.dataset), "tags": [dict(tag) for tag in inputs.tags]}


def with_files(kind: str, content: Values, folder: Path) -> Values:
    """A kept call with what it needs of the files that were kept with it."""
    if kind == "artifacts":
        return {"folder": str(folder / ARTIFACTS)}
    if kind == "model":
        name = "checkpoint.pt"
        trained = checkpoint.from_bytes((folder / ARTIFACTS / name).read_bytes(), name)
        classifier = ImageClassifier(trained.classifier(), trained.order())
        return {"exported": ExportedModel(classifier, np.load(folder / EXAMPLES, allow_pickle=False))}
    if kind == "register":
        return content | {"project": folder.parents[2]}
    return content


def _tag(client: Any, about: Values, content: Values) -> None:
    client.set_tag(about["run_id"], content["key"], content["value"])


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
    if "model_id" not in about:
        about["model_id"] = log_model(content["exported"], about["run_id"])


def _end(client: Any, about: Values, content: Values) -> None:
    """Ends the run; one that finished has no reason, though another run may have taken it for dead meanwhile."""
    client.set_terminated(about["run_id"], content["status"], content["time"])
    if content["status"] == "FINISHED" and "reason" in client.get_run(about["run_id"]).data.tags:
        client.delete_tag(about["run_id"], "reason")


def _register(client: Any, about: Values, content: Values) -> None:
    settings = RegistrySettings(**content["settings"])
    candidate = Candidate(**(content["candidate"] | {"run_id": about["run_id"], "model_id": about["model_id"]}))
    registry.register(client, content["project"], settings, candidate)


SENDERS: dict[str, Callable[[Any, Values, Values], None]] = {
    "tag": _tag,
    "name": _name,
    "batch": _batch,
    "inputs": _inputs,
    "artifacts": _artifacts,
    "model": _model,
    "end": _end,
    "register": _register,
}
