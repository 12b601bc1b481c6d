"""Draws how the classifier reads and answers, and writes the report, the model card and the live page."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mnist_lstm.core.data.data_card import DataCard
from mnist_lstm.core.data.sequences import SequenceSplit
from mnist_lstm.core.evaluation import by_step, examples, gates, metrics
from mnist_lstm.core.evaluation.metrics import Predictions
from mnist_lstm.core.explain.content import content
from mnist_lstm.core.explain.page import page, page_without, reason_against
from mnist_lstm.core.plots.by_step import accuracy_by_step_figures, beliefs_figure
from mnist_lstm.core.plots.calibration import calibration_figure
from mnist_lstm.core.plots.confusion import confusion_figure
from mnist_lstm.core.plots.gates import states_figure
from mnist_lstm.core.plots.images import classes_figure, mistakes_figure
from mnist_lstm.core.plots.learning_curves import learning_curves_figures
from mnist_lstm.core.plots.style import drawable
from mnist_lstm.core.report import page as report
from mnist_lstm.core.report.facts import Run
from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.core.training.compute import threads
from mnist_lstm.core.training.snapshots import Snapshots
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import EvaluationParameters

EXAMPLES = 3  # right images, and as many wrong ones, in detailed figures
UNITS = 16  # hidden units in detailed figures
EACH_CLASS, MOST_CLASSES = 2, 50  # images of a class in the figure of classes, and classes in it
MISTAKES = 18  # in the figure of mistakes
COMPARED, SAME = 16, 1e-3  # images that are classified again, and the difference of logits by rounding, at most


def classify_after_each_step(
    checkpoint: Checkpoint, test_sequences: SequenceSplit, data_card: DataCard, evaluation: EvaluationParameters
) -> tuple[pd.DataFrame, dict[str, NDArray[Any]]]:
    """Evaluates the prediction after every step, not only after the last.

    The network was trained to classify complete images. A bidirectional network sees the whole image before it
    answers, so only its final prediction is evaluated. Also returns a few right and wrong images with their class
    probabilities by step, from early to late decisions.
    """
    classifier, sequences, labels = checkpoint.classifier(), test_sequences.sequences, test_sequences.labels
    with threads(checkpoint.threads):
        found = by_step.evaluate_by_step(classifier, sequences, labels, evaluation.batch_size, evaluation.confidence)
    chosen = examples.right_and_wrong(found.predicted, labels, found.decided, EXAMPLES)
    shown = {
        "positions": chosen,
        "labels": labels[chosen],
        "sequences": sequences[chosen],
        "images": checkpoint.pictures(sequences[chosen]),
        "beliefs": by_step.class_probabilities_by_step(classifier, sequences[chosen]),
        "order": checkpoint.pixel_order(),
    }
    return pd.DataFrame(found.by_step), shown


def compute_gates(checkpoint: Checkpoint, example_readings: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Computes the gates and states of the cell at every step, from the cell's equations.

    Covers the units of the last layer with the most influence on the logits.
    """
    classifier = checkpoint.classifier()
    states = gates.states(classifier, example_readings["sequences"])
    units = gates.units_read_most(classifier, UNITS)
    return {name: state[..., units] for name, state in states.items()}


def draw_results(
    checkpoint: Checkpoint,
    history: pd.DataFrame,
    test_logits: Predictions,
    test_sequences: SequenceSplit,
    data_card: DataCard,
    evaluation: EvaluationParameters,
) -> tuple[Any, ...]:
    """Draws learning curves, confusion matrix, most confident mistakes, reliability diagram, and images of each class.

    The learning curves come as interactive plotly and printable matplotlib. The reliability diagram compares accuracy
    with confidence.

    Raises:
        UserError: if the predictions are not those of the checkpoint.
    """
    _expect_predictions_of(checkpoint, test_logits.logits[:COMPARED], test_sequences.sequences[:COMPARED])
    logits, labels, names = test_logits.logits, test_logits.labels, drawable(data_card.class_names)
    run, tested = f"{checkpoint.label} on {data_card.title}", _tested(checkpoint, data_card)
    columns, validated = {name: history[name].to_numpy() for name in history}, data_card.images["valid"]
    confusion = metrics.confusion_matrix(logits.argmax(axis=1), labels, len(names))
    wrong = examples.most_confident_mistakes(logits, labels, MISTAKES)
    images = checkpoint.pictures(test_sequences.sequences[wrong])
    typical = examples.of_each_class(labels, min(len(names), MOST_CLASSES), EACH_CLASS)
    some = checkpoint.pictures(test_sequences.sequences[typical])
    return (
        *learning_curves_figures(columns, validated, f"Learning curves\n{run}"),
        confusion_figure(confusion, names, f"Confusion, {metrics.accuracy(logits, labels):.2%} right\n{tested}"),
        mistakes_figure(images, wrong, logits[wrong], labels[wrong], names, f"The surest mistakes\n{tested}"),
        calibration_figure(
            metrics.reliability(logits, labels, metrics.BINS), evaluation.confidence, f"Reliability\n{tested}"
        ),
        classes_figure(
            some,
            labels[typical],
            names,
            f"As the network gets them\n{_tested(checkpoint, data_card, 'some of ')}",
        ),
    )


def _expect_predictions_of(checkpoint: Checkpoint, logits: NDArray[np.float32], sequences: Any) -> None:
    """Checks predictions that an earlier run may have left: the network was trained again, but not evaluated."""
    again = checkpoint.logits(sequences, COMPARED)
    if logits.shape != again.shape or not np.allclose(logits, again, rtol=SAME, atol=SAME):
        raise UserError(
            "the predictions must be those of the checkpoint, found those of other weights; evaluate first: `kedro run "
            "--pipelines evaluate,report`."
        )


def draw_readings(
    checkpoint: Checkpoint,
    accuracy_by_step: pd.DataFrame,
    example_readings: dict[str, NDArray[Any]],
    gates_and_states: dict[str, NDArray[Any]],
    data_card: DataCard,
    evaluation: EvaluationParameters,
) -> tuple[Any, ...]:
    """Draws how a prediction develops while the network reads an image step by step.

    Accuracy by step (interactive plotly and printable matplotlib), the class probabilities after each step next to the
    image, and the gates and states inside the cell.
    """
    tested, view = _tested(checkpoint, data_card), checkpoint.view
    names = drawable(data_card.class_names)
    some = _tested(checkpoint, data_card, "some of ")
    columns = {name: accuracy_by_step[name].to_numpy() for name in accuracy_by_step}
    units = checkpoint.weights["readout.weight"].shape[1]
    return (
        *accuracy_by_step_figures(columns, evaluation.confidence, view, tested),
        beliefs_figure(example_readings, names, view, some),
        states_figure(example_readings, gates_and_states, names, units, view, some),
    )


def _tested(checkpoint: Checkpoint, data_card: DataCard, part: str = "") -> str:
    """Caption: the training, and the number of test images."""
    return f"{checkpoint.label} on {part}{data_card.images['test']:,} test {data_card.noun.many} of {data_card.title}"


def write_explain_page(
    checkpoint: Checkpoint,
    snapshots: Snapshots,
    data_card: DataCard,
    test_sequences: SequenceSplit,
    test_logits: Predictions,
    accuracy_by_step: pd.DataFrame,
) -> str:
    """Writes one page that explains how this network reads an image, with the network itself in it."""
    if reason := reason_against(checkpoint):
        return page_without(reason)
    if checkpoint.data.name != data_card.name:  # evaluated on others than it was trained on
        title = f"{data_card.title} (trained on {checkpoint.data.title})"
        checkpoint = replace(checkpoint, data=replace(checkpoint.data, title=title, class_names=data_card.class_names))
    by_step = accuracy_by_step.to_dict("list")
    return page(content(checkpoint, snapshots, test_sequences.sequences, test_logits, by_step))


def write_report(
    checkpoint: Checkpoint,
    data_card: DataCard,
    metrics: dict[str, Any],
    per_class: pd.DataFrame,
    confusion_matrix: pd.DataFrame,
    accuracy_by_step: pd.DataFrame,
    provenance: dict[str, Any],
    **figures: bytes,
) -> tuple[str, str]:
    """Writes the report of this run as one self-contained HTML page, and the model card in Markdown.

    They state parameters, data, metrics with confidence intervals, figures of how the network decides, and the
    commands that reproduce the run.
    """
    run = Run(
        checkpoint,
        data_card,
        metrics,
        per_class.to_dict("list"),
        confusion_matrix.to_numpy()[:, 1:].astype(np.int64),
        accuracy_by_step.to_dict("list"),
        provenance,
    )
    return report.page(run, figures), report.model_card(run)
