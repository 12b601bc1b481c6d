"""Doing a run again from its record alone, and comparing the two bit by bit."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from mnist_lstm import provenance
from mnist_lstm.core import metrics
from mnist_lstm.core.checkpoint import weights_digest
from mnist_lstm.core.identity import differences
from mnist_lstm.errors import UserError
from mnist_lstm.tracking import record, store
from mnist_lstm.tracking.record import Record
from mnist_lstm.tracking.start import PARENT

CLOSE = 0.01  # largest difference of a probability that still counts as the same result
REPRODUCES, VERDICT = "reproduces", "reproduction"


class Difference(NamedTuple):
    """Something that is not as it was: "code", "packages" or "hardware", what, then and now."""

    kind: str
    what: str
    then: Any
    now: Any


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
    run = record.find_run(client, experiment, named)
    then = record.read(client, run)
    if not (then.checkpoint and then.predictions):
        raise UserError(f"run {run.info.run_id} must have trained and evaluated to be reproduced; it did not.")
    found = differences_since(then.provenance, project)
    show(found, run)
    if refused := [] if allow_differences else _not_allowed(found, checkout):
        return Verdict(False, f"not reproduced: the {' and the '.join(refused)} changed; --allow-differences goes on.")
    name = f"reproduces {run.info.run_id[:8]}"
    run_again(then, project, uri, name, experiment, checkout)
    new = record.find_run(client, experiment, name)
    verdict = compared(then, record.read(client, new), found)
    for key, value in {REPRODUCES: run.info.run_id, PARENT: run.info.run_id, VERDICT: verdict.sentence}.items():
        client.set_tag(new.info.run_id, key, value)
    return verdict


def _not_allowed(found: list[Difference], checkout: bool) -> list[str]:
    kinds = {difference.kind for difference in found}
    return [kind for kind in ("code", "packages") if kind in kinds and not (checkout and kind == "code")]


def show(found: list[Difference], run: Any) -> None:
    """Prints the differences as a table, or that there are none."""
    from rich import get_console
    from rich.table import Table

    title = f"Since run {run.info.run_id} ({run.info.run_name})"
    if not found:
        get_console().print(f"{title}: code, packages and hardware are the same.", highlight=False)
        return
    table = Table("", "what", "then", "now", title=title)
    for difference in found:
        table.add_row(*(str(field) for field in difference))
    get_console().print(table)


def differences_since(then: dict[str, Any], project: Path) -> list[Difference]:
    """What differs between a run's provenance and this machine with this code."""
    now = {
        "code": provenance.code(project),
        "packages": _packages(provenance.environment(project)),
        "hardware": provenance.hardware(),
    }
    before = {"code": then["git"], "packages": _packages(then["environment"]), "hardware": then["hardware"]}
    if before["code"]["source_sha256"] == now["code"]["source_sha256"]:
        now["code"] = before["code"]  # another commit, but not one that touched the code
    return [
        Difference(kind, key, before[kind].get(key), now[kind].get(key))
        for kind in now
        for key in sorted(before[kind].keys() | now[kind].keys())
        if key != "diff" and before[kind].get(key) != now[kind].get(key)
    ]


def _packages(environment: dict[str, Any]) -> dict[str, Any]:
    return {"python": environment["python"], **environment["packages"]}


def run_again(then: Record, project: Path, uri: str, name: str, experiment: str, checkout: bool) -> None:
    """Runs the pipeline in a fresh process with the recorded preset and parameters.

    Args:
        then: the record of the run to repeat.
        project: the project's root.
        uri: the MLflow store to record in.
        name, experiment: of the new run.
        checkout: take the code of the recorded commit and diff, in a temporary worktree.

    Raises:
        UserError: if the run does not finish, or its commit is not to be had.
    """
    with tempfile.TemporaryDirectory(prefix="mnist_lstm-") as folder:
        order = Path(folder) / "run.yml"
        with _worktree(then, project, Path(folder)) if checkout else _here(project) as place:
            order.write_text(yaml.safe_dump({"run": _options(then, project, name, experiment, place)}))
            done = subprocess.run(
                [sys.executable, "-m", "kedro", "run", "--config", str(order)],
                cwd=place,
                env=os.environ | {"MLFLOW_TRACKING_URI": uri, "PYTHONPATH": str(place / "src")},
            )
    if done.returncode != 0:
        raise UserError(f"the run must finish to be compared, found exit code {done.returncode}; see above.")


def _options(then: Record, project: Path, name: str, experiment: str, place: Path) -> dict[str, Any]:
    about = then.provenance
    data = about["data"]
    found = project / "data" / "01_raw" / data["name"]
    parameters = {key: dict(value) for key, value in about["parameters"].items()}
    # What was really read, from the folder it lies in now or else from where it came; passwords are not recorded.
    parameters["data"] |= {"name": data["name"], "on_unreachable": "fail"}
    if found.is_dir():
        parameters["data"]["mirror"] = found.as_uri()
    elif "***" in (parameters["data"]["mirror"] or ""):
        parameters["data"]["mirror"] = None
    parameters["training"]["resume"] = False
    tracking = {"enabled": True, "experiment": {"name": experiment}, "run": {"name": name}}
    if "register" in yaml.safe_load((place / "conf/base/mlflow.yml").read_text())["tracking"]:  # older code knows none
        tracking["register"] = False
    return {"env": about["preset"], "params": parameters | {"tracking": tracking}}


@contextmanager
def _here(project: Path) -> Iterator[Path]:
    yield project


@contextmanager
def _worktree(then: Record, project: Path, folder: Path) -> Iterator[Path]:
    """A temporary worktree of the recorded commit, with the recorded diff."""
    code, place = then.provenance["git"], folder / "worktree"
    if not code["commit"]:
        raise UserError("--checkout needs the commit of the run, found none recorded: it ran outside of git.")
    _git(project, "worktree", "add", "--detach", str(place), code["commit"])
    try:
        if code["diff"]:
            _git(place, "apply", "--whitespace=nowarn", input=code["diff"])
        yield place
    finally:
        _git(project, "worktree", "remove", "--force", str(place))


def _git(project: Path, *arguments: str, input: str | None = None) -> None:  # noqa: A002
    done = subprocess.run(["git", "-C", str(project), *arguments], capture_output=True, text=True, input=input)
    if done.returncode != 0:
        raise UserError(f"git {' '.join(arguments[:2])} must work for --checkout, found: {done.stderr.strip()}")


def compared(then: Record, now: Record, found: list[Difference]) -> Verdict:
    """The answer: reproduced to the bit, within so much, or not and why.

    Raises:
        UserError: if one of them lacks weights or predictions.
    """
    if not (then.checkpoint and now.checkpoint and then.predictions and now.predictions):
        raise UserError("a run must have trained and evaluated to be compared; this one's record lacks a part.")
    parts = {
        "weights": weights_digest(then.checkpoint.weights) == weights_digest(now.checkpoint.weights),
        "predictions": _equal(then.predictions["logits"], now.predictions["logits"]),
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
    if not _equal(then.predictions["labels"], now.predictions["labels"]):
        return 1.0
    one, other = (np.exp(metrics.log_probabilities(record.predictions["logits"])) for record in (then, now))  # type: ignore[index]
    return float(np.abs(one - other).max())


def _why(then: Record, now: Record, found: list[Difference]) -> str:
    assert then.checkpoint is not None  # noqa: S101  for the type checker
    assert now.checkpoint is not None  # noqa: S101
    if told := differences(now.checkpoint.identity, then.checkpoint.identity):
        return told
    kinds = list(dict.fromkeys(difference.kind for difference in found))
    return f"the {' and '.join(kinds)} changed" if kinds else "nothing recorded explains it"
