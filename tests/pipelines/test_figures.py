"""The nodes that evaluate by step, draw and report, run without Kedro."""

import re
from dataclasses import replace
from html import unescape
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from mnist_lstm.core.data.sequences import SequenceSplit
from mnist_lstm.core.evaluation.gates import states as inner_states
from mnist_lstm.core.evaluation.gates import units_read_most
from mnist_lstm.core.plots.images import shortened
from mnist_lstm.core.report.captions import CAPTIONS
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import EvaluationParameters
from mnist_lstm.pipeline_registry import register_pipelines
from mnist_lstm.pipelines.evaluate.nodes import score
from mnist_lstm.pipelines.report import nodes
from mnist_lstm.pipelines.report.pipeline import FIGURES, create_pipeline
from tests.support import finished, tiny
from tests.test_project import CATALOG

EVALUATION = EvaluationParameters(confidence=0.95, batch_size=8, of=None)
DRAWN = [name for node in create_pipeline().nodes if node.name.startswith("draw_") for name in node.outputs]


CARD = replace(finished.card(), title="Tiny")
# Curves of a run that was validated once, at its second update
COLUMNS = {"iteration": [1, 2], "train_loss": [2.0, 1.0], "train_accuracy": [0.5, 0.7]}
HISTORY = pd.DataFrame(COLUMNS | {"valid_loss": [np.nan, 1.5], "valid_accuracy": [np.nan, 0.6]})


@pytest.fixture(scope="module")
def test_sequences() -> SequenceSplit:
    return SequenceSplit(tiny.images(20), tiny.labels(20), tiny.checkpoint().pixel_order())


@pytest.fixture(scope="module")
def drawn(test_sequences: SequenceSplit) -> tuple[Any, ...]:
    """What is drawn of the results."""
    return nodes.draw_results(tiny.checkpoint(), HISTORY, tiny.predictions(), test_sequences, CARD, EVALUATION)


@pytest.fixture(scope="module")
def followed(test_sequences: SequenceSplit) -> tuple[pd.DataFrame, dict[str, Any]]:
    return nodes.classify_after_each_step(tiny.checkpoint(), test_sequences, finished.card(), EVALUATION)


def test_all_test_images_are_evaluated_by_step(followed: Any, test_sequences: SequenceSplit) -> None:
    by_step, _ = followed
    right = tiny.predictions().logits.argmax(axis=1) == test_sequences.labels
    assert by_step["step"].tolist() == [1, 2, 3, 4, 5, 6]
    assert by_step["accuracy"].iloc[-1] == right.mean()
    assert by_step["decided"].iloc[-1] == 1


def test_a_run_always_shows_the_same_three_right_and_three_wrong_images(
    followed: Any, test_sequences: SequenceSplit
) -> None:
    _, shown = followed
    right = shown["beliefs"][:, -1].argmax(axis=-1) == shown["labels"]
    assert right.tolist() == [True] * 3 + [False] * 3
    assert_array_equal(shown["images"], test_sequences.sequences[shown["positions"]])
    assert_array_equal(shown["labels"], test_sequences.labels[shown["positions"]])
    _, again = nodes.classify_after_each_step(tiny.checkpoint(), test_sequences, finished.card(), EVALUATION)
    for name, values in shown.items():
        assert_array_equal(again[name], values)


@pytest.mark.parametrize("layers", [1, 2])
def test_the_states_are_those_of_the_units_with_the_largest_readout_weights(followed: Any, layers: int) -> None:
    _, shown = followed
    states = nodes.compute_gates(tiny.checkpoint(layers), shown)
    units = units_read_most(tiny.classifier(layers), nodes.UNITS)
    expected = inner_states(tiny.classifier(layers), shown["sequences"])
    for name, values in states.items():
        assert_array_equal(values, expected[name][..., units])


def ticks(axis: Any) -> list[str]:
    return [label.get_text() for label in axis.get_ticklabels()]


def test_every_figure_names_the_training_the_data_and_the_classes(followed: Any, drawn: tuple[Any, ...]) -> None:
    by_step, shown = followed
    inside = nodes.compute_gates(tiny.checkpoint(), shown)
    figures = [*drawn, *nodes.draw_readings(tiny.checkpoint(), by_step, shown, inside, CARD, EVALUATION)]
    titles = [
        figure["layout"]["title"]["text"] if isinstance(figure, dict) else figure.get_suptitle() for figure in figures
    ]
    assert len(titles) == len(DRAWN)
    assert all(title.endswith("lstm5 rows s1 on Tiny") for title in titles[:2])
    for title in titles[2:]:
        assert re.search(r"(\n|<br>)lstm5 rows s1 on (some of )?20 test images of Tiny$", title)
    *_, beliefs, states = figures
    label, called = tiny.NAMES[shown["labels"][0]], tiny.NAMES[shown["beliefs"][0, -1].argmax()]
    assert ticks(beliefs.axes[1].xaxis) == tiny.NAMES
    assert beliefs.axes[0].get_title(loc="left").startswith(f"is {label}, called {called}\n")
    assert states.axes[0].get_title(loc="left").startswith(f"is {label},")


def test_curves_are_those_of_the_history_and_the_others_those_of_predictions_and_images(drawn: tuple[Any, ...]) -> None:
    curves, _, confusion, mistakes, _, classes = drawn
    assert curves["data"][0]["y"] == [2.0, 1.0]
    assert (curves["data"][1]["x"], curves["data"][3]["y"]) == ([2], [0.6])
    predictions = tiny.predictions()
    right = predictions.logits.argmax(axis=1) == predictions.labels
    assert f"Confusion, {right.mean():.2%} right\n" in confusion.get_suptitle()
    assert ticks(confusion.axes[0].xaxis) == ticks(confusion.axes[0].yaxis) == tiny.NAMES
    shown = [int(axes.get_xlabel().rpartition(" ")[2]) for axes in mistakes.axes if axes.images]
    assert sorted(shown) == np.flatnonzero(~right).tolist()
    for axes, position in zip(mistakes.axes, shown, strict=False):
        assert_array_equal(axes.images[0].get_array(), tiny.images(20)[position])
        assert axes.get_title() == f"is {tiny.NAMES[predictions.labels[position]]}"
        assert axes.get_xlabel().startswith(f"called {tiny.NAMES[predictions.logits[position].argmax()]}\n")
    first_two = [np.flatnonzero(predictions.labels == label)[:2] for label in range(tiny.CLASSES)]
    for axes, place in zip(classes.axes, np.ravel(first_two), strict=False):  # upright, as they lie in the file
        assert axes.get_title() == shortened(tiny.NAMES[predictions.labels[place]])
        assert_array_equal(axes.images[0].get_array(), tiny.images(20)[place])


def test_predictions_that_an_earlier_training_left_are_not_drawn(test_sequences: SequenceSplit) -> None:
    old = replace(tiny.predictions(), logits=tiny.predictions().logits[::-1])
    with pytest.raises(UserError, match=r"must be those of the checkpoint.*--pipelines evaluate,report"):
        nodes.draw_results(tiny.checkpoint(), HISTORY, old, test_sequences, finished.card(), EVALUATION)


def test_report_and_card_are_of_the_run(followed: Any) -> None:
    metrics, per_class, confusion = score(tiny.predictions(), finished.card(), EVALUATION)
    figures = dict.fromkeys(FIGURES, b"\x89PNG")
    page, card = nodes.write_report(
        tiny.checkpoint(), finished.card(), metrics, per_class, confusion, followed[0], finished.PROVENANCE, **figures
    )
    assert page.startswith("<!DOCTYPE html>")
    assert list(CAPTIONS) == list(FIGURES)
    assert page.count("<figure>") == len(FIGURES)
    assert all(f"{metrics['test/accuracy']:.2%}" in text for text in (page, card))
    for name in tiny.NAMES:
        assert f'<th scope="row">{name}</th>' in unescape(page)
        assert f"\n| {name} |" in unescape(card).replace("\\", "")


# The curves and tables of these are in MLflow already
REPEATED = {"learning_curves_interactive", "accuracy_by_step_interactive", "example_readings", "gates_and_states"}


def test_every_result_is_an_artifact_of_the_run() -> None:
    figures = register_pipelines()["__default__"].only_nodes_with_tags("figures")
    for name in figures.all_outputs() - REPEATED:
        assert CATALOG[name]["metadata"]["mlflow"] == "artifact"
