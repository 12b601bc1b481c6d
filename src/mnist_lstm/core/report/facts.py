"""What report and model card say of a run, in words and numbers, for either to set."""

import shlex
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.checkpoint import Checkpoint, weights_digest
from mnist_lstm.core.metrics import BINS, FIRST, wilson_interval
from mnist_lstm.core.sequences import step_word

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Run:
    """A run that has been evaluated.

    Attributes:
        checkpoint: what was trained.
        data: the data card.
        metrics: as the node `score` gives them.
        per_class: columns precision, recall, f1 and images, each of K values.
        confusion: counts (K, K) by label and prediction.
        by_step: columns step, accuracy and decided, each of T values.
        provenance: "run" (its "id", its "date", and whether it "trained"), "command", "git", "environment" and
            "hardware".
    """

    checkpoint: Checkpoint
    data: dict[str, Any]
    metrics: dict[str, Any]
    per_class: dict[str, list[Any]]
    confusion: NDArray[np.int64]
    by_step: dict[str, list[Any]]
    provenance: dict[str, Any]

    @property
    def title(self) -> str:
        """What was trained, and on which data."""
        return f"{self.checkpoint.words} on {self.data['title']}"


def parameters(run: Run) -> dict[str, Any]:
    """Every parameter that decides the results, by its key in parameters.yml."""
    trained = {key: value for key, value in run.checkpoint.identity.items() if not key.startswith("data.")}
    return {"data.name": run.data["name"], **trained, "evaluation.confidence": run.metrics["confidence"]}


READ = {"mean": "the mean of its outputs", "attention": "the mean of its outputs, weighted by attention"}


def network(run: Run) -> str:
    """What the network is, in a sentence."""
    steps, features = run.checkpoint.order().shape
    model, weights = run.checkpoint.model, run.checkpoint.weights
    layers = f"{model.num_layers} layer{'s' if model.num_layers > 1 else ''} of {model.hidden_size} units"
    kind, each_way = ("Bidirectional ", " in each direction") if model.bidirectional else ("", "")
    read = f"its last output{each_way}" if model.readout == "last" else READ[model.readout]
    pixels = f"{features} pixel{'s' if features > 1 else ''}"
    return (
        f"{kind}{model.cell.upper()} of {layers}{each_way} that reads an image as {steps} time steps of {pixels} "
        f"(view {run.checkpoint.sequence.view}) and names one of {len(run.data['class_names'])} classes from "
        f"{read}; "
        f"{sum(tensor.numel() for tensor in weights.values()):,} numbers in its weights."
    )


def which(run: Run) -> str:
    """Which run it is, by its id and its date."""
    told = run.provenance["run"]
    return f"Run {told['id']} of {told['date']}." if told["id"] else f"Run of {told['date']}, not recorded by MLflow."


def commands(run: Run) -> list[tuple[str, str]]:
    """What each command does, and the command; a run that did not train cannot be reproduced from its record."""
    given = ",".join(f"{key}={'null' if value is None else value}" for key, value in parameters(run).items())
    told = run.provenance["run"]
    again = ("The same again from its record, compared bit by bit", f"kedro reproduce {told['id']}")
    return [
        ("The command of this run", run.provenance["command"]),
        *([again] if told["trained"] and told["id"] else []),
        (
            "Training and evaluation with every value spelled out, whatever conf/ says",
            f"kedro run --params {shlex.quote(given + ',data.on_unreachable=fail')}",
        ),
    ]


def measures(run: Run) -> list[Row]:
    """Each measure, its value, its interval (or nothing) and what it means."""
    found, sure = run.metrics, run.metrics["confidence"]
    first = min(FIRST, found["test/images"])
    correct = found[f"test/first_{FIRST}_correct"]
    return [
        (
            "accuracy",
            f"{found['test/accuracy']:.2%}",
            interval(found["test/correct"], found["test/images"], sure),
            f"{found['test/correct']:,} of {found['test/images']:,} test images right",
        ),
        (
            f"accuracy on the first {first}",
            f"{correct / first:.2%}",
            interval(correct, first, sure),
            f"the tutorial's own measure: {correct} of {first} right",
        ),
        ("loss", f"{found['test/loss']:.4f}", "", "mean cross-entropy, nats"),
        ("macro F1", f"{found['test/macro_f1']:.4f}", "", "mean over the classes, each counting the same"),
        ("calibration error", f"{found['test/ece']:.4f}", "", f"expected, in {BINS} bins of equal width"),
    ]


def interval(correct: int, total: int, confidence: float) -> str:
    """The Wilson interval of an accuracy, as one reads it; nothing where there is no image."""
    if total == 0:
        return ""
    low, high = wilson_interval(correct, total, confidence)
    return f"{low:.2%} to {high:.2%}"


def classes(run: Run) -> list[Row]:
    """Each class: name, images, recall, its interval, precision, F1, and what it is most often taken for."""
    scores = zip(run.data["class_names"], run.confusion, *map(run.per_class.__getitem__, MEASURES), strict=True)
    return [
        (
            name,
            f"{images:,}",
            f"{recall:.1%}",
            interval(int(confused[label]), int(images), run.metrics["confidence"]),
            f"{precision:.1%}",
            f"{f1:.3f}",
            _taken_for(run, label),
        )
        for label, (name, confused, images, recall, precision, f1) in enumerate(scores)
    ]


MEASURES = ("images", "recall", "precision", "f1")


def _taken_for(run: Run, label: int) -> str:
    """The wrong class that images of `label` are called most often, and how often."""
    others = run.confusion[label].copy()
    others[label] = 0
    return f"{run.data['class_names'][others.argmax()]} ({others.max()})" if others.any() else ""


def worst_classes(run: Run, count: int) -> list[Row]:
    """The rows of `classes` with the lowest recall, of those that have images, the lowest first."""
    recall = np.where(np.array(run.per_class["images"]) > 0, run.per_class["recall"], np.inf)
    rows = classes(run)
    return [rows[label] for label in np.argsort(recall, kind="stable")[:count]]


def on_the_way(run: Run) -> str:
    """How good the answers are before the end, in a sentence."""
    if run.checkpoint.model.bidirectional:
        return "The network reads an image from both ends at once, and so has no answer before all of it is read."
    accuracy, steps = np.array(run.by_step["accuracy"]), step_word(run.checkpoint.sequence.view).many
    half = max(1, len(accuracy) // 2)
    near = 1 + int(np.argmax(accuracy >= accuracy[-1] - 0.01))
    return (
        f"After half of the {steps} ({half} of {len(accuracy)}) {accuracy[half - 1]:.1%} of the answers are right, "
        f"and {near} {steps} are needed to come within one point of the final {accuracy[-1]:.1%}; the network was "
        "trained to answer after the last only."
    )


def origin(run: Run) -> dict[str, list[tuple[str, str]]]:
    """What the weights and the measures were made with, under a heading for both, or for each where they differ."""
    trained = run.checkpoint.identity
    weights = [
        ("weights, SHA-256", weights_digest(run.checkpoint.weights)),
        ("trained on", trained["training.device"]),
        ("threads", str(trained["training.threads"])),
    ]
    if run.provenance["run"]["trained"]:
        return {"made with": weights + _surroundings(run)}
    found = ("tag training.fingerprint of the run that trained", run.checkpoint.fingerprint)
    return {"trained with": [*weights, found], "evaluated with": _surroundings(run)}


def _surroundings(run: Run) -> list[tuple[str, str]]:
    """Code, versions and machine of this run."""
    code, machine, environment = (run.provenance[name] for name in ("git", "hardware", "environment"))
    dirty = {True: " and changes that are not committed", False: "", None: ""}[code["dirty"]]
    return [
        ("git commit", f"{code['commit']}{dirty}" if code["commit"] else "none: not a git repository"),
        ("source, SHA-256", code["source_sha256"]),
        ("python", environment["python"]),
        ("packages", ", ".join(f"{name} {version}" for name, version in environment["packages"].items())),
        ("lock file, SHA-256", environment["lock_sha256"] or "none"),
        ("machine", f"{machine['processor']}, {machine['cores']} cores, {machine['memory_bytes'] / 2**30:.0f} GiB"),
        ("system", f"{machine['system']}, {machine['machine']}, {machine['capability']}"),
    ]
