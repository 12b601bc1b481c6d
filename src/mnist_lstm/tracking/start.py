"""Starts a run: its name, tags, parameters and provenance."""

import getpass
import json
import logging
import os
import time
from pathlib import Path
from typing import Any

from kedro.framework.project import settings as kedro_settings

from mnist_lstm import provenance
from mnist_lstm.core.training.compute import chosen_device
from mnist_lstm.core.training.run_names import departures, label
from mnist_lstm.data_parameters import source_of
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import Parameters
from mnist_lstm.processes import process
from mnist_lstm.redaction import redacted
from mnist_lstm.sections import flattened
from mnist_lstm.tracking import payloads, store, tags
from mnist_lstm.tracking.artifact_place import warn_if_unwritable
from mnist_lstm.tracking.find_run import find_run
from mnist_lstm.tracking.settings import Settings
from mnist_lstm.tracking.spool import earlier_runs
from mnist_lstm.tracking.spool.operations import create_run
from mnist_lstm.tracking.spool.outages import LATER, OutageError, store_errors, warn_if_slow
from mnist_lstm.tracking.spool.spool import MAX_WAITED, Spool
from mnist_lstm.tracking.writer import RunWriter

logger = logging.getLogger(__name__)
SELECTION = ("tags", "from_nodes", "to_nodes", "node_names", "from_inputs", "to_outputs", "namespaces")


def started(
    project: Path, settings: Settings, parameters: Parameters, suffix: str, run_params: dict[str, Any]
) -> RunWriter:
    """The writer of a new run; `suffix` are the "departures" of `usual`, `run_params` are Kedro's.

    Raises:
        UserError: if the store cannot be used, now or later.
    """
    about = run_provenance(project, parameters, run_params)
    if reason := about["git"]["reason"]:
        logger.warning("The run's record lacks its commit, as git refuses: %s", reason)

    def name(data: str, kind: str) -> str:
        named = label(parameters.model, parameters.sequence, parameters.training.seed, kind)
        return settings.tracking.run.name or f"{named}{suffix} {data}"  # the data last, as MLflow cuts after 18 letters

    spool = _spool(project, settings, name(parameters.data.source, parameters.data.kind or "images"), about)
    values = {key: str(value) for key, value in flattened(about["parameters"]).items()}
    if settings.tracking.run.parent is None:  # a sweep may be over parameters without an effect
        values = payloads.with_effect(values)
    spool.put("batch", params=[{"key": key, "value": value} for key, value in values.items()])
    return RunWriter(spool, about, name, settings.tracking.onnx)


def _spool(project: Path, settings: Settings, name: str, about: dict[str, Any]) -> Spool:
    """The spool of a new run, which is made in MLflow if that answers; first, earlier runs are completed."""
    uri = store.tracking_uri(project, settings.server.mlflow_tracking_uri)
    experiment, parent = settings.tracking.experiment.name, settings.tracking.run.parent
    run: dict[str, Any] = {
        "run_id": None,
        "experiment_id": None,
        "store": redacted(uri),
        "own": uri == store.own_uri(project),
        "experiment": experiment,
        "run_name": name,
        "tags": run_tags(about) | ({tags.PARENT: parent} if parent else {}),
        "start_time": int(time.time() * 1000),
        "process": about["process"],
    }

    def connect() -> Any:
        client = store.client(project, uri)
        with store_errors(uri):
            run["experiment_id"] = store.experiment_id(client, experiment, project, uri)
            if parent:
                try:
                    run["tags"][tags.PARENT] = find_run(client, experiment, parent).info.run_id
                except UserError as error:
                    raise UserError(f"setting 'tracking.run.parent': {error}") from None
        return client

    with store_errors(uri):
        store.prepare(project, uri)
    try:
        with warn_if_slow(), store_errors(uri):
            client = connect()
            earlier_runs.settle(project, client, uri, run["experiment_id"], MAX_WAITED)
            run["run_id"] = create_run(client, run)
            warn_if_unwritable(client.get_run(run["run_id"]).info.artifact_uri)
    except OutageError as error:
        logger.warning("%s. %s.", error, LATER)
        client = None
    return Spool(project, connect, client, run)


def usual(conf: str, env: str | None, parameters: Parameters) -> dict[str, Any]:
    """What the configuration usually gives.

    Returns:
        "base", its values, flat; "departures", the preset and the parameters that differ from it or, without one, from
        base: " fast sgd".
    """
    arguments = kedro_settings.CONFIG_LOADER_ARGS
    base = values = _parameters_of(conf, arguments["base_env"])
    preset = "" if env in (None, arguments["default_run_env"], arguments["base_env"]) else f" {env}"
    if preset:
        values = _parameters_of(conf, env)
    return {"departures": preset + departures(parameters, values), "base": base}


def _parameters_of(conf: str, env: str | None) -> dict[str, Any]:
    arguments = kedro_settings.CONFIG_LOADER_ARGS
    return flattened(kedro_settings.CONFIG_LOADER_CLASS(conf, env=env, **arguments)["parameters"])


def run_provenance(project: Path, parameters: Parameters, run_params: dict[str, Any]) -> dict[str, Any]:
    """What is known of a run when it starts."""
    values = parameters.model_dump()
    if (own := values["data"]["path"]) and not Path(own).expanduser().is_absolute():
        values["data"]["path"] = os.path.relpath(own, project)  # from where the run was started
    if values["data"]["mirror"]:
        values["data"]["mirror"] = redacted(values["data"]["mirror"])
    return {
        "command": provenance.command_line(),
        "preset": run_params["env"],
        "pipelines": run_params.get("pipeline_names") or ["__default__"],
        "selection": {key: run_params[key] for key in SELECTION if run_params.get(key)},
        "parameters": values,
        "git": provenance.code(project),
        "environment": provenance.environment(project),
        "hardware": provenance.hardware(),
        "device": chosen_device(parameters.training.device).type,
        "process": process(),
    }


def _user() -> str:
    """The user's name, or the number where the system has no name for it, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # what Python raises before 3.13, and since
        return str(os.getuid())


def run_tags(about: dict[str, Any]) -> dict[str, str]:
    """The main facts of a run's provenance, to filter and sort by."""
    found = {
        "mlflow.source.name": about["command"],
        "mlflow.source.type": "LOCAL",
        tags.COMMIT: about["git"]["commit"],
        tags.DIRTY: about["git"]["dirty"],
        "mlflow.user": _user(),
        "data": source_of(about["parameters"]["data"]),
        "preset": about["preset"] or "base",
        "device": about["device"],
        "processor": about["hardware"]["processor"],
        tags.PROCESS: json.dumps(about["process"]),
    }
    if named := about["parameters"]["evaluation"].get("of"):
        found[tags.OF] = named
    if about["pipelines"] != ["__default__"]:
        found["pipelines"] = ",".join(about["pipelines"])
    return {key: str(value)[: tags.MAX_LENGTH] for key, value in found.items() if value is not None}
