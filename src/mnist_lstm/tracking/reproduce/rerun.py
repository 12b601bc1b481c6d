"""Repeats a run from its record alone."""

import os
import secrets
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from mnist_lstm.core.training.arithmetic import arithmetic_of
from mnist_lstm.errors import UserError
from mnist_lstm.renamed_parameters import with_current_names
from mnist_lstm.temporary_folder import temporary_folder
from mnist_lstm.tracking import reader, store, tags
from mnist_lstm.tracking.find_run import find_run
from mnist_lstm.tracking.reproduce.drift import drift, refusal, show
from mnist_lstm.tracking.reproduce.verdict import Verdict, compared
from mnist_lstm.tracking.reproduce.worktree import worktree


def reproduced(project: Path, named: str, allow_differences: bool, checkout: bool) -> Verdict:
    """Repeats a run, as its child run in MLflow, and compares the two.

    Args:
        named: a run's id, its name or "latest".
        allow_differences: run though code or packages have changed.
        checkout: use the code of the recorded commit.

    Raises:
        UserError: if there is no such run, or it cannot be repeated.
    """
    client, uri, experiment, _ = store.opened(project)
    run = find_run(client, experiment, named, did=("trained", "evaluated"))
    then = reader.read(client, run)
    if not (then.checkpoint and then.predictions):
        raise UserError(
            f"only a run that trained and evaluated can be reproduced, run {run.info.run_id} ({run.info.run_name}, "
            f"{run.info.status.lower()}) did not: name another."
        )
    if checkout and tags.SEAL in run.data.tags and then.provenance["git"]["diff"]:
        raise UserError(
            f"--checkout runs a recorded diff, but run {run.info.run_id} came in a seal, from somebody else: read the "
            "diff in provenance.json, apply it yourself, and run without --checkout."
        )
    found = drift(then.provenance, project, arithmetic_of(then.checkpoint.fingerprint_fields).portable)
    show(found, f"run {run.info.run_id} ({run.info.run_name})")
    if checkout:
        found = [difference for difference in found if difference.kind != "code"]
    if not allow_differences and (reason := refusal(found)):
        return Verdict(False, reason)
    new = run_again(Again(then, project, uri, experiment), client, checkout, allow_differences)
    verdict = compared(then, reader.read(client, new), found)
    client.set_tag(new.info.run_id, tags.REPRODUCTION, verdict.sentence)
    return verdict


class Again(NamedTuple):
    """A run to repeat."""

    then: reader.Record  # its record
    project: Path  # the project's root
    # Where the new run is recorded
    uri: str
    experiment: str


def run_again(again: Again, client: Any, checkout: bool, allow_differences: bool) -> Any:
    """Runs the pipeline in a new process with the recorded preset and parameters, and returns MLflow's new run.

    A unique name identifies the new run until it has ended.

    Raises:
        UserError: if the run does not finish, or its code is not available.
    """
    run_id = again.then.run.info.run_id
    name = f"reproduces {run_id[:8]}"
    unique = f"{name} {secrets.token_hex(8)}"
    exit_code = _process(again, unique, checkout, allow_differences)
    new = next(reader.runs(client, again.experiment, f"attributes.run_name = '{unique}'"), None)
    if new:
        for tag in (tags.REPRODUCES, tags.PARENT):
            client.set_tag(new.info.run_id, tag, run_id)
        client.update_run(new.info.run_id, name=name)
    if exit_code != 0 or not new:
        raise UserError(f"the new run must finish to be compared, found exit code {exit_code}; see above.")
    return new


def _process(again: Again, name: str, checkout: bool, allow_differences: bool) -> int:
    """The exit code of `kedro run` with the recorded preset and parameters."""
    with temporary_folder() as folder:
        config = folder / "run.yml"
        own = worktree(again.then.provenance, again.project, folder, allow_differences)
        with own if checkout else nullcontext(again.project) as place:
            config.write_text(yaml.safe_dump({"run": _options(again, name, place)}))
            return subprocess.run(
                [sys.executable, "-m", "kedro", "run", "--config", str(config)],
                cwd=place,
                env=os.environ | {"MLFLOW_TRACKING_URI": again.uri, "PYTHONPATH": str(place / "src"), "KEDRO_ENV": ""},
            ).returncode


def _options(again: Again, name: str, place: Path) -> dict[str, Any]:
    about, trained = again.then.provenance, again.then.checkpoint
    recorded = about["parameters"] if place != again.project else with_current_names(about["parameters"])
    parameters = {key: dict(value) for key, value in recorded.items()}  # a worktree may know only the old names
    parameters["data"] = recorded_data(about["data"], parameters["data"], again.project)
    parameters.pop("predict", None)  # of another pipeline
    parameters["training"]["resume"] = False
    if place == again.project or "reuse" in parameters["training"]:  # unknown to older code
        parameters["training"]["reuse"] = False
    if trained and "training.precision" in trained.fingerprint_fields:  # what `auto` became
        parameters["training"]["precision"] = trained.fingerprint_fields["training.precision"]
    tracking = {"enabled": True, "experiment": {"name": again.experiment}, "run": {"name": name}}
    settings = yaml.safe_load((place / "conf/base/mlflow.yml").read_text())
    if "register" in settings["tracking"]:  # unknown to the oldest code
        tracking["register"] = False
    preset = about["preset"]
    if preset and not (place / "conf" / preset).is_dir():
        preset = "base"  # the recorded parameters hold the values of the lost preset
    return {"env": preset, "params": parameters | {"tracking": tracking}}


def recorded_data(used: dict[str, Any], recorded: dict[str, Any], project: Path) -> dict[str, Any]:
    """The block `data` that reads the data of a run again: from their folder if it is there, else from their source.

    Args:
        used: the data card; its name is that of a substitute, where one was used.
        recorded: the run's block `data`, in which a password is "***".
    """
    own, found = recorded.get("path"), project / "data" / "01_raw" / used["name"]
    block = recorded | ({"path": str(project / Path(own).expanduser())} if own else {"name": used["name"]})
    block["on_unreachable"] = "fail"
    if found.is_dir() and not own:
        block["mirror"] = found.as_uri()
    elif "***" in (block["mirror"] or ""):
        block["mirror"] = None
    return block
