"""One stage of an old run: with `of=RUN`, `--pipelines evaluate,report` takes that run's checkpoint and data."""

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from mnist_lstm.core.training.snapshots import Snapshots
from mnist_lstm.errors import UserError, listed
from mnist_lstm.renamed_parameters import with_current_names
from mnist_lstm.tracking import load_model, reader, store
from mnist_lstm.tracking.reproduce.rerun import recorded_data

FREE = ("data", "evaluation", "tracking")  # blocks that may differ from those of the run
STAGES = ["ingest", "reshape", "evaluate"]  # the data are read anew, whatever lies in data/
REPORT = "report"  # may follow
logger = logging.getLogger(__name__)


def of_run(project: Path, named: str, given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Nested parameters to evaluate a run, named as for `load_model.run_called`, and its data sets by catalog entry.

    Raises:
        UserError: if there is no such run, or a parameter is given that its training decided.
    """
    if others := given.keys() - set(FREE):
        wrong = listed(f"{key}.*" for key in others)
        raise UserError(f"of=RUN takes model, sequence and training from the run, found {wrong}; leave that out.")
    client, _, experiment, registered = store.opened(project)
    run_id = load_model.run_called(client, experiment, registered, named)
    checkpoint = load_model.of_run(client, run_id)
    about = json.loads(reader.fetched(client, run_id, "provenance.json") or b"{}")
    parameters = with_current_names(about["parameters"])
    given_data = given.get("data", {})
    if not {"name", "path"} & given_data.keys():  # else they are others
        given_data = recorded_data(about["data"], parameters["data"], project) | given_data
    chosen = {block: parameters[block] for block in ("sequence", "model", "training")}
    chosen["training"] = chosen["training"] | {"resume": False, "reuse": False}
    chosen["evaluation"] = parameters["evaluation"] | given.get("evaluation", {}) | {"of": run_id}
    checkpoint = replace(checkpoint, weights_of=run_id)
    trained_on = checkpoint.data.title
    logger.info("Evaluates run %s (%s), trained on %s.", run_id, client.get_run(run_id).info.run_name, trained_on)
    inputs = {
        "checkpoint": checkpoint,
        "history": pd.DataFrame(checkpoint.state.history),
        "snapshots": Snapshots(checkpoint.fingerprint, {}),
    }
    tracking = {"tracking": given["tracking"]} if "tracking" in given else {}
    return chosen | {"data": given_data} | tracking, inputs
