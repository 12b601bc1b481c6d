"""Starting a run: its experiment, name, parameters, tags and provenance."""

import getpass
import logging
import time
from pathlib import Path
from typing import Any

from kedro.framework.project import settings as kedro_settings

from mnist_lstm import provenance
from mnist_lstm.core.training.compute import chosen_device
from mnist_lstm.core.training.run_names import departures, label
from mnist_lstm.parameters import Parameters
from mnist_lstm.sections import flattened
from mnist_lstm.tracking import store
from mnist_lstm.tracking.spool import unsent
from mnist_lstm.tracking.spool.operations import created
from mnist_lstm.tracking.spool.outages import OutageError, reached
from mnist_lstm.tracking.spool.outbox import LATER, Outbox, told_if_slow
from mnist_lstm.tracking.writer import LONGEST_TAG, Recorder

logger = logging.getLogger(__name__)
PARENT = "mlflow.parentRunId"  # the tag
SELECTION = ("tags", "from_nodes", "to_nodes", "node_names", "from_inputs", "to_outputs", "namespaces")


def started(
    project: Path, conf: str, settings: store.Settings, parameters: Parameters, run_params: dict[str, Any]
) -> Recorder:
    """A new MLflow run, and the recorder that writes it; `conf` is where the configuration lies."""
    from mlflow.entities import Param

    about = provenance_of(project, parameters, run_params)

    apart = what_sets_apart(conf, run_params["env"], parameters)

    def name(data: str) -> str:
        return settings.tracking.run.name or run_name(data, parameters, apart)

    outbox = _outbox(project, settings, name(parameters.data.name), about)
    values = flattened(about["parameters"])
    outbox.log_batch(outbox.run_id or "", params=[Param(key, str(value)) for key, value in values.items()])
    recorder = Recorder(outbox, about, name)
    recorder.write_provenance()
    return recorder


def _outbox(project: Path, settings: store.Settings, name: str, about: dict[str, Any]) -> Outbox:
    """The new run, in MLflow, or kept until it answers; runs that an earlier outage kept are sent first."""
    uri, experiment = (
        store.tracking_uri(project, settings.server.mlflow_tracking_uri),
        settings.tracking.experiment.name,
    )
    parent = {PARENT: settings.tracking.run.parent} if settings.tracking.run.parent else {}
    run = {
        "run_id": None,
        "experiment_id": None,
        "store": provenance.redacted(uri),
        "experiment": experiment,
        "run_name": name,
        "tags": tags(about) | parent,
        "start_time": int(time.time() * 1000),
        "process": about["process"],
    }

    def connect() -> Any:
        client = store.client(project, uri)
        with reached(uri):
            run["experiment_id"] = store.experiment_id(client, experiment, project, uri)
        return client

    with reached(uri):
        store.prepare(project, uri)
    try:
        with told_if_slow(), reached(uri):
            client = connect()
            unsent.send_all(project, client, str(run["store"]), str(run["experiment_id"]))
            end_dead_runs(client, str(run["experiment_id"]))
            run["run_id"] = created(client, run)
    except OutageError as error:
        logger.warning("%s. %s.", error, LATER)
        client = None
    return Outbox(project, connect, client, run)


def sent(project: Path) -> tuple[int, int]:
    """Sends what runs kept while MLflow did not answer, and ends the dead; how many it has now, and how many wait.

    Raises:
        UserError: if the store cannot be used.
    """
    client, uri, experiment, _ = store.opened(project)
    with reached(uri):
        known = store.experiment_id(client, experiment, project, uri)
        counts = unsent.send_all(project, client, provenance.redacted(uri), known)
        end_dead_runs(client, known)
    return counts


def run_name(data: str, parameters: Parameters, apart: str) -> str:
    """What a run is, in a few words: "mnist lstm128 rows s1", and what sets it apart from others of that."""
    return f"{data} {label(parameters.model, parameters.sequence, parameters.training.seed)}{apart}"


def what_sets_apart(conf: str, env: str | None, parameters: Parameters) -> str:
    """The preset, and the parameters in which a run departs from it or, without one, from base: " fast sgd"."""
    base = (None, kedro_settings.CONFIG_LOADER_ARGS["default_run_env"], kedro_settings.CONFIG_LOADER_ARGS["base_env"])
    preset = None if env in base else env
    usual = kedro_settings.CONFIG_LOADER_CLASS(conf, env=preset or base[-1], **kedro_settings.CONFIG_LOADER_ARGS)
    return f"{f' {preset}' * bool(preset)}{departures(parameters, flattened(usual['parameters']))}"


def provenance_of(project: Path, parameters: Parameters, run_params: dict[str, Any]) -> dict[str, Any]:
    """All that is known of a run when it starts."""
    values = parameters.model_dump()
    if values["data"]["mirror"]:
        values["data"]["mirror"] = provenance.redacted(values["data"]["mirror"])
    return {
        "command": provenance.command_line(),
        "preset": run_params["env"],
        "pipelines": run_params["pipeline_names"] or ["__default__"],
        "selection": {key: run_params[key] for key in SELECTION if run_params[key]},
        "parameters": values,
        "git": provenance.code(project),
        "environment": provenance.environment(project),
        "hardware": provenance.hardware(),
        "device": chosen_device(parameters.training.device).type,
        "process": provenance.process(),
    }


def tags(about: dict[str, Any]) -> dict[str, str]:
    """The main facts of a run's provenance, to filter and sort by."""
    values, packages = about["parameters"], about["environment"]["packages"]
    found = {
        "mlflow.source.name": about["command"],
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": about["git"]["commit"],
        "mlflow.user": getpass.getuser(),
        "data": values["data"]["name"],
        "git.commit": about["git"]["commit"],
        "git.dirty": about["git"]["dirty"],
        "command": about["command"],
        "preset": about["preset"],
        "pipelines": ",".join(about["pipelines"]),
        "python": about["environment"]["python"],
        **{name: packages[name] for name in ("mnist_lstm", "torch", "kedro", "mlflow")},
        "device": about["device"],
        "processor": about["hardware"]["processor"],
        "threads": values["training"]["threads"],
        "seed": values["training"]["seed"],
        **{f"process.{key}": value for key, value in about["process"].items()},
    }
    return {key: str(value)[:LONGEST_TAG] for key, value in found.items() if value is not None}


def end_dead_runs(client: Any, experiment: str) -> None:
    """Marks as killed each run of this machine that still counts as running though its process is gone."""
    prefix = "process."
    for run in client.search_runs([experiment], "attributes.status = 'RUNNING'"):
        process = {key.removeprefix(prefix): tag for key, tag in run.data.tags.items() if key.startswith(prefix)}
        if process and provenance.is_dead(process):
            client.set_tag(run.info.run_id, "reason", "its process was gone when the next run started")
            client.set_terminated(run.info.run_id, "KILLED")
