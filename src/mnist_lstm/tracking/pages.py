"""What MLflow's pages show of an experiment: its kind, a description, a view of the runs; and the pages' addresses."""

import json
from typing import Any
from urllib.parse import urlsplit

PORT = 5000  # where `kedro ui` shows a store that has no server of its own
NOTE = "mlflow.note.content"  # the tag that MLflow shows as a description, in Markdown
VIEW = "runs"
RUN_NAME, STARTED = "attributes.`Run Name`", "runDateAndNestInfo"
COLUMNS = {
    "metrics.`test/accuracy`": 105,
    "tags.`preset`": 70,
    "params.`model.cell`": 90,
    "params.`model.hidden_size`": 120,
    "params.`training.seed`": 110,
    "tags.`data`": 140,
}  # of the view, with their widths in pixels: the seed is still seen next to the assistant, which opens by itself


def view() -> str:
    """The view of the runs in the form in which MLflow's page saves one: a table whose columns tell runs apart.

    Source: the tag that the menu "Views" of MLflow 3.17 writes.
    """
    state = {
        "selectedColumns": list(COLUMNS),
        "columnOrder": [RUN_NAME, STARTED, *COLUMNS],
        "columnWidths": {RUN_NAME: 160, STARTED: 85} | COLUMNS,
    }
    return json.dumps({"name": "Accuracy and network", "createdAt": 0, "updatedAt": 0, "state": json.dumps(state)})


# Makes MLflow's page open the experiment in the view for training, not the one for language models
EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development", f"mlflow.sharedViewState.{VIEW}": view()}


def describe_experiment(client: Any, experiment: Any) -> None:
    """Gives MLflow's experiment the tags that its page needs, and a description unless it has one."""
    note = f"Each run is a training. [The runs with accuracy, network and preset]({_runs(experiment.experiment_id)})"
    wanted = {NOTE: experiment.tags.get(NOTE, note)} | EXPERIMENT_TAGS
    for key, value in wanted.items():
        if experiment.tags.get(key) != value:
            _set_tag(client, experiment.experiment_id, key, value)


def _set_tag(client: Any, experiment_id: str, key: str, value: str) -> None:
    import mlflow

    try:
        client.set_experiment_tag(experiment_id, key, value)
    except mlflow.exceptions.MlflowException:  # another process has just set it
        if client.get_experiment(experiment_id).tags.get(key) != value:
            raise


def runs_page(uri: str, experiment_id: str, port: int) -> str:
    """The address of the experiment's runs with the columns above; `port` is that of `kedro ui`."""
    return f"{_server(uri, port)}/{_runs(experiment_id)}"


def run_page(uri: str, experiment_id: str, run_id: str) -> str:
    """The address of a run's page, and the command that shows it if the store at `uri` has no server."""
    how = "" if has_server(uri) else " (kedro ui)"
    return f"{_server(uri, PORT)}/#/experiments/{experiment_id}/runs/{run_id}?workflowType=machine_learning{how}"


def _runs(experiment_id: str) -> str:
    return f"#/experiments/{experiment_id}/runs?workflowType=machine_learning&viewStateShareKey={VIEW}"


def has_server(uri: str) -> bool:
    """Whether the store is a server, which shows its own pages."""
    return urlsplit(uri).scheme in ("http", "https")


def _server(uri: str, port: int) -> str:
    """The server's address without the user and the password that it may hold, or that of `kedro ui`."""
    address = urlsplit(uri)
    if not has_server(uri):
        return f"http://127.0.0.1:{port}"
    return f"{address.scheme}://{address.netloc.rpartition('@')[2]}{address.path.rstrip('/')}"
