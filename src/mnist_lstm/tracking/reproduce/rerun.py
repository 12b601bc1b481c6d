"""Doing a run again from its record alone, and comparing the two bit by bit."""

import os
import secrets
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from mnist_lstm.core.evaluation import metrics
from mnist_lstm.core.training.checkpoint import weights_digest
from mnist_lstm.core.training.fingerprint import differences
from mnist_lstm.errors import UserError
from mnist_lstm.renamed_parameters import with_current_names
from mnist_lstm.tracking import reader, store
from mnist_lstm.tracking.reader import REPRODUCES, Record
from mnist_lstm.tracking.reproduce.drift import Difference, differences_since, refusal, show
from mnist_lstm.tracking.reproduce.worktree import worktree
from mnist_lstm.tracking.start import PARENT

CLOSE = 0.01  # largest difference of a probability that still counts as the same result
VERDICT = "reproduction"  # the tag


class Verdict(NamedTuple):
    """Whether a run was reproduced to the bit, and the answer in one line."""

    equal: bool
    sentence: str


def reproduced(project: Path, named: str, allow_differences: bool, checkout: bool) -> Verdict:
    """Runs the named run again, as a child run of it in MLflow, and compares the two.

    Args:
        project: the project's root.
        named: a run's id, its name or "latest".
        allow_differences: go on over a difference of code or packages.
        checkout: take the code of the recorded commit.

    Raises:
        UserError: if there is no such run, or it cannot be done again.
    """
    client, uri, experiment, _ = store.opened(project)
    run = reader.find_run(client, experiment, named, did=("trained", "evaluated"))
    then = reader.read(client, run)
    if not (then.checkpoint and then.predictions):
        raise UserError(
            f"only a run that trained and evaluated can be done again, run {run.info.run_id} ({run.info.run_name}, "
            f"{run.info.status.lower()}) did not: name another."
        )
    found = differences_since(then.provenance, project)
    show(found, run)
    if checkout:
        found = [difference for difference in found if difference.kind != "code"]
    if told := "" if allow_differences else refusal(found):
        return Verdict(False, told)
    new = run_again(Again(then, project, uri, experiment), client, checkout, allow_differences)
    verdict = compared(then, reader.read(client, new), found)
    client.set_tag(new.info.run_id, VERDICT, verdict.sentence)
    return verdict


class Again(NamedTuple):
    """A run to do again.

    Attributes:
        then: its record.
        project: the project's root.
        uri, experiment: where the new run is recorded.
    """

    then: Record
    project: Path
    uri: str
    experiment: str


def run_again(again: Again, client: Any, checkout: bool, allow_differences: bool) -> Any:
    """Runs the pipeline in a fresh process with the recorded preset and parameters, and returns MLflow's new run.

    Its name is its own until it has ended and carries tags that tell it from all others.

    Raises:
        UserError: if the run does not finish, or its code is not to be had.
    """
    run_id = again.then.run.info.run_id
    name = f"reproduces {run_id[:8]}"
    unique = f"{name} {secrets.token_hex(8)}"
    exit_code = _process(again, unique, checkout, allow_differences)
    new = next(reader.runs(client, again.experiment, f"attributes.run_name = '{unique}'"), None)
    if new:
        for tag in (REPRODUCES, PARENT):
            client.set_tag(new.info.run_id, tag, run_id)
        client.update_run(new.info.run_id, name=name)
    if exit_code != 0 or not new:
        raise UserError(f"the run must finish to be compared, found exit code {exit_code}; see above.")
    return new


def _process(again: Again, name: str, checkout: bool, allow_differences: bool) -> int:
    """The exit code of `kedro run` with the recorded preset and parameters."""
    with tempfile.TemporaryDirectory(prefix="mnist_lstm-") as folder:
        order = Path(folder) / "run.yml"
        own = worktree(again.then.provenance, again.project, Path(folder), allow_differences)
        with own if checkout else nullcontext(again.project) as place:
            order.write_text(yaml.safe_dump({"run": _options(again, name, place)}))
            return subprocess.run(
                [sys.executable, "-m", "kedro", "run", "--config", str(order)],
                cwd=place,
                env=os.environ | {"MLFLOW_TRACKING_URI": again.uri, "PYTHONPATH": str(place / "src")},
            ).returncode


def _options(again: Again, name: str, place: Path) -> dict[str, Any]:
    about, trained = again.then.provenance, again.then.checkpoint
    data = about["data"]
    found = again.project / "data" / "01_raw" / data["name"]
    recorded = about["parameters"] if place != again.project else with_current_names(about["parameters"])
    parameters = {key: dict(value) for key, value in recorded.items()}  # a worktree may know the old names alone
    # What was really read, from the folder it lies in now or else from where it came; passwords are not recorded.
    parameters["data"] |= {"name": data["name"], "on_unreachable": "fail"}
    if found.is_dir():
        parameters["data"]["mirror"] = found.as_uri()
    elif "***" in (parameters["data"]["mirror"] or ""):
        parameters["data"]["mirror"] = None
    parameters["training"]["resume"] = False
    if trained and "training.precision" in trained.fingerprint_fields:  # what `auto` was then
        parameters["training"]["precision"] = trained.fingerprint_fields["training.precision"]
    tracking = {"enabled": True, "experiment": {"name": again.experiment}, "run": {"name": name}}
    if "register" in yaml.safe_load((place / "conf/base/mlflow.yml").read_text())["tracking"]:  # older code knows none
        tracking["register"] = False
    gone = about["preset"] and not (place / "conf" / about["preset"]).is_dir()  # its values are recorded all the same
    return {"env": "base" if gone else about["preset"], "params": parameters | {"tracking": tracking}}


def compared(then: Record, now: Record, found: list[Difference]) -> Verdict:
    """The answer: reproduced to the bit, within so much, or not and why.

    Raises:
        UserError: if one of them lacks weights or predictions.
    """
    if not (then.checkpoint and now.checkpoint and then.predictions and now.predictions):
        raise UserError("a run must have trained and evaluated to be compared; this one's record lacks a part.")
    parts = {
        "weights": weights_digest(then.checkpoint.weights) == weights_digest(now.checkpoint.weights),
        "predictions": _equal(then.predictions.logits, now.predictions.logits),
        "metrics": then.metrics == now.metrics,
        "curves": then.curves == now.curves,
    }
    if all(parts.values()):
        return Verdict(True, f"reproduced to the bit: weights, predictions, {len(then.metrics)} metrics and curves")
    off = _largest_difference(then, now)
    why = _why(then, now, found)
    different = ", ".join(name for name, equal in parts.items() if not equal)
    if off <= CLOSE:
        return Verdict(False, f"reproduced within {off:.1e} of every probability; {different} differ in bits: {why}")
    return Verdict(False, f"not reproduced: {different} differ, a probability by {off:.2g}: {why}")


def _equal(one: Any, other: Any) -> bool:
    return bool(one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes())


def _largest_difference(then: Record, now: Record) -> float:
    """Of any class probability of any test image; 1 where the test images are not the same."""
    assert then.predictions is not None  # noqa: S101  for the type checker
    assert now.predictions is not None  # noqa: S101
    if not _equal(then.predictions.labels, now.predictions.labels):
        return 1.0
    one, other = (np.exp(metrics.log_probabilities(record.predictions.logits)) for record in (then, now))  # type: ignore[union-attr]
    return float(np.abs(one - other).max())


def _why(then: Record, now: Record, found: list[Difference]) -> str:
    assert then.checkpoint is not None  # noqa: S101  for the type checker
    assert now.checkpoint is not None  # noqa: S101
    if told := differences(now.checkpoint.fingerprint_fields, then.checkpoint.fingerprint_fields):
        return told
    kinds = list(dict.fromkeys(difference.kind for difference in found))
    return f"the {' and '.join(kinds)} changed" if kinds else "nothing recorded explains it"
