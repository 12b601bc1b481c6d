"""Where a run comes from, and the commands that do it again."""

import json
import shlex
from typing import Any

from mnist_lstm.core.data.data_card import counted
from mnist_lstm.core.report.facts import Run
from mnist_lstm.core.training.checkpoint import weights_digest


def parameters(run: Run) -> dict[str, str]:
    """Every parameter that decides the results, as YAML writes it, by its key in parameters.yml."""
    trained = {key: value for key, value in run.checkpoint.fingerprint_fields.items() if not key.startswith("data.")}
    every = {
        **(run.data.given or {"data.name": run.data.name}),
        **trained,
        "evaluation.confidence": run.metrics["confidence"],
    }
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in every.items()}


def marked(run: Run) -> list[tuple[str, ...]]:
    """The parameters as in `parameters`; if some differ from base, each with an empty text or the value of base."""
    recorded: dict[str, Any] = run.provenance["run"].get("base", {})
    base = {key: value if isinstance(value, str) else json.dumps(value) for key, value in recorded.items()}
    rows: list[tuple[str, ...]] = [
        (key, value, "" if base.get(key, value) == value else base[key]) for key, value in parameters(run).items()
    ]
    return rows if any(row[2] for row in rows) else [row[:2] for row in rows]


def commands(run: Run) -> list[tuple[str, str]]:
    """What each command does, and the command; only a run that trained can be reproduced from its record."""
    given = ",".join(f"{key}={value}" for key, value in parameters(run).items())
    anew = f"kedro run --params {shlex.quote(given + ',data.on_unreachable=fail')}"
    run_id, trained = run.provenance["run"]["id"], run.provenance["run"]["trained"]
    spelled_out = ("To train and evaluate with every value spelled out, whatever conf/ says", anew)
    of_these = run.checkpoint.data.name == run.data.name  # the data that trained, too
    again = ("To do it again from its record and compare the two bit by bit", f"kedro reproduce {run_id}")
    return [
        ("The command of this run", run.provenance["command"]),
        *([again] if trained and run_id else []),
        *([spelled_out] if of_these else []),
    ]


def made_with(run: Run) -> dict[str, list[tuple[str, str]]]:
    """What made the weights and the metrics, under one heading where one run made both, else under two."""
    trained = run.checkpoint.fingerprint_fields
    weights = [
        ("weights, SHA-256", weights_digest(run.checkpoint.weights)),
        ("trained on", trained["training.device"]),
        ("precision", trained["training.precision"]),
        ("threads", str(trained["training.threads"])),
    ]
    if not run.checkpoint.state.ended:
        weights.append(("interrupted", f"at update {run.checkpoint.state.iteration}: the training has not ended"))
    if run.checkpoint.weights_of:
        weights.append(("weights of run", run.checkpoint.weights_of))
    if run.provenance["run"]["trained"]:
        return {"made with": weights + _surroundings(run)}
    found = ("tag training.fingerprint of the run that trained", run.checkpoint.fingerprint)
    return {"trained with": [*weights, found], "evaluated with": _surroundings(run)}


def _surroundings(run: Run) -> list[tuple[str, str]]:
    """Code, versions and machine of this run."""
    code, machine, environment = (run.provenance[name] for name in ("git", "hardware", "environment"))
    dirty = {True: " and changes that are not committed", False: "", None: ""}[code["dirty"]]
    cores, memory = counted(machine["cores"], "core"), f"{machine['memory_bytes'] / 2**30:.0f} GiB"
    return [
        ("git commit", f"{code['commit']}{dirty}" if code["commit"] else _no_commit(code)),
        ("source, SHA-256", code["source_sha256"]),
        ("python", environment["python"]),
        ("packages", ", ".join(f"{name} {version}" for name, version in environment["packages"].items())),
        ("lock file, SHA-256", environment["lock_sha256"] or "none"),
        ("machine", f"{machine['processor']}, {cores}, {memory}"),
        ("system", f"{machine['system']}, {machine['machine']}, {machine['capability']}"),
    ]


def _no_commit(code: dict[str, Any]) -> str:
    return f"none, as git refused: {code['reason']}" if code.get("reason") else "none: not in a git repository"
