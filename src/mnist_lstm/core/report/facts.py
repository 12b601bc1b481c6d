"""The sentences and numbers about a run that the report and the model card share."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.data.data_card import DataCard, counted
from mnist_lstm.core.data.sequences import step_word
from mnist_lstm.core.evaluation.metrics import BINS, FIRST, percent, wilson_interval
from mnist_lstm.core.training.checkpoint import Checkpoint

Row = tuple[Any, ...]

TUTORIALS = "mnist"  # the data of the tutorial
SCORES = ("images", "recall", "precision", "f1")  # of each class


@dataclass(frozen=True)
class Run:
    """A run that has been evaluated."""

    checkpoint: Checkpoint  # what was trained
    data: DataCard  # the data card
    metrics: dict[str, Any]  # as the node `score` gives them
    per_class: dict[str, list[Any]]  # columns precision, recall, f1 and images, each of K values
    confusion: NDArray[np.int64]  # counts (K, K) by label and prediction
    by_step: dict[str, list[Any]]  # columns step, accuracy and decided, each of T values
    # "run" (its "id", empty before MLflow has it and None where it never will; its "date"; whether it "trained"; and if
    # known its preset and other "departures" from "base", the flat values of conf/base/parameters.yml), "command",
    # "git", "environment" and "hardware"
    provenance: dict[str, Any]

    @property
    def title(self) -> str:
        """What was trained, how it departs from base, and on which data."""
        return f"{self.checkpoint.label}{self.provenance['run'].get('departures', '')} on {self.data.title}"


KINDS = {"lstm": ("An", "LSTM"), "gru": ("A", "GRU"), "rnn": ("A", "plain RNN")}
READ = {"mean": "the mean of its outputs", "attention": "the mean of its outputs, weighted by attention"}


def network(run: Run) -> str:
    """What the network is, in three sentences."""
    steps, features = run.checkpoint.pixel_order().shape
    model, weights = run.checkpoint.model, run.checkpoint.weights
    article, kind = KINDS[model.cell]
    article, each_way = ("A bidirectional", " in each direction") if model.bidirectional else (article, "")
    view = f" (view {run.checkpoint.sequence.view})" if run.data.kind == "images" else ""
    special = ["refined gates"] * (model.gates == "refined") + [f"zoneout {model.zoneout:g}"] * (model.zoneout > 0)
    kind += f" ({', '.join(special)})" if special else ""
    layers, units = counted(model.num_layers, "layer"), counted(model.hidden_size, "unit")
    read = f"its last output{each_way}" if model.pooling == "last" else READ[model.pooling]
    return (
        f"{article} {kind} with {layers} of {units}{each_way}. "
        f"It reads {run.data.noun.article} as {counted(steps, 'time step')} of {counted(features, *run.data.unit)}"
        f"{view} and names one of {len(run.data.class_names)} classes from {read}. "
        f"It has {sum(tensor.numel() for tensor in weights.values()):,} weights and biases."
    )


def substitution(run: Run) -> str:
    """A sentence that says that these are not the data of the training, or not the requested ones; else empty."""
    trained = run.checkpoint.data
    if trained.name != run.data.name:
        names = "" if trained.class_names == run.data.class_names else ", whose classes have other names"
        return (
            f"The network was trained on {trained.title}: every number here is about {run.data.title}{names}, on which "
            "it was not trained."
        )
    if run.data.requested == run.data.name:
        return ""
    return (
        f"The run asked for {run.data.requested}, but no mirror provided it: every number here is about the "
        f"{run.data.title}."
    )


def images(run: Run) -> str:
    """A sentence that describes the images."""
    return f"{run.data.form[0].upper()}{run.data.form[1:]}: {run.data.title}."


def taken(run: Run) -> str:
    """What the network takes, in a phrase."""
    card = run.data
    if card.kind == "series":
        return f"series of up to {counted(card.height, 'step')} of {counted(card.width, 'number')}, as measured,"
    size = f"{card.height} x {card.width} pixels"
    return f"grey images of {size}, 0 for paper and 255 for ink, placed as in those data,"


def which(run: Run) -> str:
    """A sentence that names the run by its id and its date."""
    run_id, date = run.provenance["run"]["id"], run.provenance["run"]["date"]
    if run_id:
        return f"Run {run_id} of {date}."
    if run_id is None:
        return f"Run of {date}, not recorded by MLflow."
    return f"Run of {date}, not yet in MLflow when this was written: kedro sync-runs sends it."


def lead(run: Run) -> str:
    """The test accuracy with its interval, in a sentence."""
    accuracy, correct, total = (run.metrics[f"test/{name}"] for name in ("accuracy", "correct", "images"))
    low_to_high = interval(correct, total, run.metrics["confidence"])
    return f"{accuracy:.2%} of {total:,} test {run.data.noun.many} right ({interval_name(run)} {low_to_high})."


def metrics(run: Run) -> list[Row]:
    """A row for each metric: name, value, interval (or an empty text) and meaning."""
    found, confidence = run.metrics, run.metrics["confidence"]
    present = sum(count > 0 for count in run.per_class["images"])
    return [
        (
            "accuracy",
            f"{found['test/accuracy']:.2%}",
            interval(found["test/correct"], found["test/images"], confidence),
            f"{found['test/correct']:,} of {found['test/images']:,} test {run.data.noun.many} right",
        ),
        *([_tutorials_accuracy(found)] if run.data.name == TUTORIALS else []),
        ("loss", f"{found['test/loss']:.4f}", "", "mean cross-entropy, nats"),
        (
            "balanced accuracy",
            f"{found['test/balanced_accuracy']:.2%}",
            "",
            f"mean recall of the {present} classes with test {run.data.noun.many}",
        ),
        ("macro F1", f"{found['test/macro_f1']:.4f}", "", f"mean over the same {present} classes"),
        ("calibration error", f"{found['test/ece']:.4f}", "", f"expected, in {BINS} bins of equal width"),
    ]


def _tutorials_accuracy(found: dict[str, Any]) -> Row:
    """The row of the accuracy that the tutorial printed, which says nothing about other data."""
    first, correct = min(FIRST, found["test/images"]), found[f"test/first_{FIRST}_correct"]
    return (
        f"accuracy on the first {first}",
        f"{correct / first:.2%}",
        interval(correct, first, found["confidence"]),
        f"the tutorial's own metric: {correct} of {first} right",
    )


def interval_name(run: Run) -> str:
    """The heading of an interval: "95% interval"."""
    return f"{percent(run.metrics['confidence'])} interval"


def interval(correct: int, total: int, confidence: float) -> str:
    """The Wilson interval of an accuracy, for people; empty where there is no image."""
    if total == 0:
        return ""
    low, high = wilson_interval(correct, total, confidence)
    return f"{low:.2%} to {high:.2%}"


def classes(run: Run) -> list[Row]:
    """A row for each class: name, images, recall, its interval, precision, F1 and the most frequent mistake."""
    scores = zip(run.data.class_names, run.confusion, *(run.per_class[name] for name in SCORES), strict=True)
    return [
        (
            name,
            f"{images:,}",
            f"{recall:.1%}" if images else "",
            interval(int(confused[label]), int(images), run.metrics["confidence"]),
            f"{precision:.1%}",
            f"{f1:.3f}",
            _taken_for(run, label),
        )
        for label, (name, confused, images, recall, precision, f1) in enumerate(scores)
    ]


def _taken_for(run: Run, label: int) -> str:
    """The most frequent wrong prediction for images of `label`, and its count."""
    others = run.confusion[label].copy()
    others[label] = 0
    return f"{run.data.class_names[others.argmax()]} ({others.max()})" if others.any() else ""


def worst_classes(run: Run, count: int) -> list[Row]:
    """The rows of `classes` with the lowest recall, of those that have images, the lowest first."""
    rows = classes(run)
    ordered = np.argsort(run.per_class["recall"], kind="stable")
    return [rows[label] for label in ordered if run.per_class["images"][label] > 0][:count]


def accuracy_by_step(run: Run) -> str:
    """A sentence or two about the accuracy before the last step."""
    if run.checkpoint.model.bidirectional:
        whole = f"the whole {run.data.noun.one}"
        return f"A bidirectional network sees {whole} before it answers, so it has no answer before the last step."
    accuracy, step = np.array(run.by_step["accuracy"]), step_word(run.checkpoint.view)
    if len(accuracy) == 1:
        return (
            f"The network reads {run.data.noun.article} in one step, so it has no answer before the complete "
            f"{run.data.noun.one} is read."
        )
    half = len(accuracy) // 2
    near = 1 + int(np.argmax(accuracy >= accuracy[-1] - 0.01))
    return (
        f"After {half} of {counted(len(accuracy), *step)}, {accuracy[half - 1]:.1%} of the answers are right; after "
        f"{counted(near, *step)} their share is within one percentage point of the final {accuracy[-1]:.1%}. The "
        f"network was trained to answer after it has read the complete {run.data.noun.one}."
    )
