import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest
import torch
from torch.testing import assert_close

from mnist_lstm.core.data.data_card import DataCard
from mnist_lstm.core.data.preparation import Preparation
from mnist_lstm.core.data.splits import Source, SourceOf, Splits
from mnist_lstm.core.evaluation.metrics import Predictions
from mnist_lstm.core.model.classifier import classify
from mnist_lstm.core.training.arithmetic import arithmetic_of
from mnist_lstm.core.training.checkpoint import Checkpoint, weights_digest
from mnist_lstm.core.training.program import program
from mnist_lstm.errors import UnreachableError, UserError
from mnist_lstm.parameters import Parameters
from mnist_lstm.pipelines.evaluate.nodes import predict_test, score
from mnist_lstm.pipelines.ingest.nodes import ingest
from mnist_lstm.pipelines.reshape.nodes import reshape
from mnist_lstm.pipelines.train.nodes import export, train
from tests.conftest import Sequences
from tests.core.conftest import needs_bfloat16_kernel, needs_kernel

Interrupted = Mapping[str, Callable[[], Checkpoint]]
Saves = list[tuple[Checkpoint, pd.DataFrame]]


def sources(**known: Source) -> SourceOf:
    """Sources by name."""
    return lambda data: known[data.name]


def raising(error: Exception) -> Source:
    """A source that cannot be read."""
    return mock.Mock(side_effect=error)


UNREACHABLE = raising(UnreachableError("mnist is on no mirror."))
DAMAGED = raising(UserError("train-images.gz is damaged."))


def test_ingest_reads_the_source_that_the_parameters_name(parameters: Parameters, splits: Splits) -> None:
    source = mock.Mock(return_value=splits)
    data = parameters.data.model_copy(update={"name": "bars", "mirror": "file:///bars", "timeout": 2.5})
    assert ingest(sources(bars=source, mnist=DAMAGED), data) is splits
    source.assert_called_once_with(data)


def test_where_no_mirror_answers_the_bundled_digits_stand_in_and_say_so(
    parameters: Parameters, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        card = ingest(sources(mnist=UNREACHABLE), parameters.data).card
    assert (card.name, card.requested) == ("digits", "mnist")
    (warning,) = (record.getMessage() for record in caplog.records if record.levelno == logging.WARNING)
    assert warning == "mnist is on no mirror. This run is on the bundled 8x8 digits (not MNIST)."
    assert caplog.messages[-1].startswith("Data: bundled 8x8 digits (not MNIST)")


def test_images_with_light_borders_are_named_as_they_may_be_inverted(
    parameters: Parameters, splits: Splits, caplog: pytest.LogCaptureFixture
) -> None:
    card = replace(splits.card, preparation=Preparation(paper=255))
    ingest(sources(bars=lambda data: splits._replace(card=card)), parameters.data.model_copy(update={"name": "bars"}))
    assert "bars of noise have light borders" in caplog.text
    assert "`dark_on_light: true`" in caplog.text


def test_test_images_that_also_train_are_told_of_files_of_ones_own(
    parameters: Parameters, splits: Splits, caplog: pytest.LogCaptureFixture
) -> None:
    leaking = splits._replace(test=splits.train)
    for path, said in (("mine.npz", True), (None, False)):
        caplog.clear()
        ingest(sources(bars=lambda data: leaking), parameters.data.model_copy(update={"name": "bars", "path": path}))
        assert ("are also in training" in caplog.text) == said


def test_nothing_replaces_damaged_files_or_unreachable_ones_where_that_must_fail(parameters: Parameters) -> None:
    with pytest.raises(UserError, match="damaged"):
        ingest(sources(mnist=DAMAGED), parameters.data)
    with pytest.raises(UnreachableError, match="no mirror"):
        ingest(sources(mnist=UNREACHABLE), parameters.data.model_copy(update={"on_unreachable": "fail"}))


@pytest.mark.parametrize(
    ("given", "replaced"),
    [
        ({}, True),
        ({"mirror": "file:///nowhere"}, False),
        ({"name": "fashion_mnist"}, False),
        ({"mirror": "file:///nowhere", "on_unreachable": "bundled_digits"}, True),
        ({"name": "fashion_mnist", "on_unreachable": "bundled_digits"}, True),
    ],
    ids=str,
)
def test_the_bundled_digits_stand_in_for_mnist_without_a_mirror_or_where_the_user_says_so(
    parameters: Parameters, given: dict[str, Any], replaced: bool
) -> None:
    data = parameters.data.model_copy(update=given)
    source = sources(**{data.name: UNREACHABLE})
    if replaced:
        assert ingest(source, data).card.requested == data.name
    else:
        with pytest.raises(UnreachableError):
            ingest(source, data)


@pytest.mark.parametrize(("view", "axes"), [("rows", (0, 1, 2)), ("columns", (0, 2, 1))])
def test_reshape_reads_every_split_by_the_same_view(
    parameters: Parameters, splits: Splits, view: str, axes: tuple[int, ...]
) -> None:
    sequence = parameters.sequence.model_copy(update={"view": view})
    parts = reshape(*splits[:3], sequence)
    for read, part in zip(parts, splits[:3], strict=True):
        np.testing.assert_array_equal(read.sequences, part.images.transpose(axes))
        np.testing.assert_array_equal(read.labels, part.labels)


@pytest.fixture
def saves_of(small: Parameters, sequences: Sequences) -> Callable[..., Saves]:
    """A function that runs the node `train` and returns everything that it saves."""

    def saves(interrupted: Interrupted | None = None, recorded: Any = pytest.fail, **changes: Any) -> Saves:
        training = small.training.model_copy(update=changes)
        inputs = (sequences.train, sequences.valid, sequences.card, interrupted or {})
        saves = train(*inputs, small.sequence, small.model, training, recorded)
        return [(each["checkpoint"], each["history"]) for each in saves]

    return saves


def test_training_saves_checkpoint_and_curves_of_each_report_and_at_most_once_per_report_seconds(
    saves_of: Callable[..., Saves],
) -> None:
    saves = saves_of()
    assert [checkpoint.state.iteration for checkpoint, _ in saves] == [2, 4, 5, 6, 8, 10, 12]
    for checkpoint, history in saves:
        pd.testing.assert_frame_equal(history, pd.DataFrame(checkpoint.state.history))
        assert history["iteration"].iloc[-1] == checkpoint.state.iteration
    few = saves_of(report_seconds=1e6)
    assert [checkpoint.state.iteration for checkpoint, _ in few] == [2, 12]
    assert len({checkpoint.fingerprint for checkpoint, _ in saves + few}) == 1
    assert saves_of(seed=2)[0][0].fingerprint != saves[0][0].fingerprint


def test_a_recorded_training_is_saved_once_in_place_of_training(saves_of: Callable[..., Saves]) -> None:
    (*_, (last, curves)) = saves_of()
    ((reused, history),) = saves_of(recorded=lambda _: replace(last, weights_of="1"), reuse=True)
    assert reused == replace(last, state=reused.state, weights_of="1")
    assert weights_digest(reused.weights) == weights_digest(last.weights)
    pd.testing.assert_frame_equal(history, curves)
    assert len(saves_of(recorded=lambda _: None, reuse=True)) == 7, "nothing is recorded"
    resumed = saves_of({last.fingerprint: lambda: last}, resume=True, reuse=True)  # asks for no recorded one
    assert [each.weights_of for each, _ in resumed] == [None]


@pytest.mark.parametrize(
    "precision",
    [
        "float32",
        pytest.param("portable", marks=needs_kernel),
        pytest.param("bfloat16_kernel", marks=needs_bfloat16_kernel),
    ],
)
def test_a_training_that_was_interrupted_goes_on_as_the_same_program(
    saves_of: Callable[..., Saves], precision: str
) -> None:
    saves = saves_of(precision=precision)
    checkpoint = saves[2][0]
    assert checkpoint.program == program(arithmetic_of(checkpoint.fingerprint_fields).portable)
    threads = {} if precision == "float32" else {"threads": 2}  # the kernel has the same bits
    resumed, _ = saves_of({checkpoint.fingerprint: lambda: checkpoint}, resume=True, precision=precision, **threads)[-1]
    assert weights_digest(resumed.weights) == weights_digest(saves[-1][0].weights)


@pytest.mark.parametrize("found", ["portable", "bfloat16"])
def test_the_precision_that_auto_finds_here_is_what_trains_wherever_the_workers_are(
    saves_of: Callable[..., Saves], monkeypatch: pytest.MonkeyPatch, found: str
) -> None:
    requested = []

    def engine(_: Any, __: Any, ___: Any, training: Any, *rest: Any) -> Iterator[Any]:
        requested.append(training.precision)
        yield from ()

    monkeypatch.setattr("mnist_lstm.core.training.fingerprint.chosen_precision", lambda *_: found)
    monkeypatch.setattr("mnist_lstm.pipelines.train.nodes.engine_of", lambda _: engine)
    saves_of(precision="auto")
    assert requested == [found]


@pytest.mark.parametrize("stopped", [0, 3, -1])
def test_training_resumes_to_the_same_bits_and_curves(saves_of: Callable[..., Saves], stopped: int) -> None:
    saves = saves_of()
    checkpoint = saves[stopped][0]
    resumed, history = saves_of({checkpoint.fingerprint: lambda: checkpoint}, resume=True)[-1]
    assert_close(resumed.state.weights, saves[-1][0].state.weights, rtol=0, atol=0)
    pd.testing.assert_frame_equal(history, saves[-1][1], check_exact=True)


def test_training_starts_at_the_beginning_without_resume_and_fails_if_it_cannot_resume(
    saves_of: Callable[..., Saves],
) -> None:
    checkpoint = saves_of()[-1][0]
    again = saves_of({checkpoint.fingerprint: lambda: checkpoint})
    assert [each.state.iteration for each, _ in again] == [2, 4, 5, 6, 8, 10, 12]
    with pytest.raises(UserError, match=r"training\.resume needs"):
        saves_of(resume=True)


@pytest.fixture
def checkpoint(saves_of: Callable[..., Saves]) -> Checkpoint:
    return saves_of()[-1][0]


def test_training_on_ray_needs_ray(saves_of: Callable[..., Saves], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"training.engine 'ray' needs Ray, found none; pip install"):
        saves_of(engine="ray")


def test_the_exported_classifier_gives_the_checkpoints_probabilities_and_brings_two_raw_examples(
    checkpoint: Checkpoint, splits: Splits, sequences: Sequences
) -> None:
    exported = export(checkpoint, splits.valid)
    logits = classify(checkpoint.classifier(), sequences.test.sequences, 21)
    expected = torch.softmax(torch.from_numpy(logits), dim=1)
    np.testing.assert_allclose(classify(exported.classifier, splits.test.images, 21), expected, atol=1e-6)
    examples = exported.examples
    np.testing.assert_array_equal(examples, splits.valid.images[:2])
    assert examples.dtype == np.uint8
    assert not np.shares_memory(examples, splits.valid.images)


def test_an_evaluation_uses_the_threads_of_the_training(
    checkpoint: Checkpoint, sequences: Sequences, parameters: Parameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    used, before = [], torch.get_num_threads()

    def classified(*_: Any) -> Any:
        used.append(torch.get_num_threads())
        return np.zeros((21, 3), np.float32)

    monkeypatch.setattr("mnist_lstm.core.training.checkpoint.classify", classified)
    trained = replace(checkpoint, fingerprint_fields=checkpoint.fingerprint_fields | {"training.threads": 3})
    predict_test(trained, sequences.test, sequences.card, parameters.evaluation)
    assert (used, torch.get_num_threads()) == ([3], before)


def test_every_test_image_is_classified_with_its_label_and_none_of_other_data_than_the_checkpoints(
    checkpoint: Checkpoint, sequences: Sequences, parameters: Parameters
) -> None:
    predictions = predict_test(checkpoint, sequences.test, sequences.card, parameters.evaluation)
    expected = classify(checkpoint.classifier(), sequences.test.sequences, 21)
    np.testing.assert_array_equal(predictions.logits, expected)
    np.testing.assert_array_equal(predictions.labels, sequences.test.labels)
    with pytest.raises(UserError, match=r"trained on bars .* found mnist"):
        predict_test(checkpoint, sequences.test, replace(sequences.card, name="mnist"), parameters.evaluation)


@pytest.fixture
def predictions() -> Predictions:
    """5 images, 3 of them right: (label, prediction) is (a, a), (b, b), (b, b), (a, b) and (b, c)."""
    called = np.array([0, 1, 1, 1, 2])
    return Predictions(np.eye(3, dtype=np.float32)[called], np.array([0, 1, 1, 0, 1], np.uint8))


@pytest.fixture
def card(splits: Splits) -> DataCard:
    return replace(splits.card, title="Letters", class_names=["a", "b", "c"])


def test_a_score_states_accuracy_data_and_interval_and_has_a_row_for_each_class(
    predictions: Predictions, card: DataCard, parameters: Parameters
) -> None:
    metrics, per_class, confusion = score(predictions, card, parameters.evaluation)
    assert (metrics["data"], metrics["confidence"]) == ("5 test images of Letters", 0.95)
    assert (metrics["test/accuracy"], metrics["test/correct"], metrics["test/images"]) == (0.6, 3, 5)
    assert metrics["test/accuracy_low"] < 0.6 < metrics["test/accuracy_high"]
    assert per_class.to_dict("list") == {
        "label": ["a", "b", "c"],
        "precision": [1, 2 / 3, 0],
        "recall": [1 / 2, 2 / 3, 0],
        "f1": [2 / 3, 2 / 3, 0],
        "images": [2, 3, 0],
    }
    assert confusion.to_dict("list") == {"label": ["a", "b", "c"], "a": [1, 0, 0], "b": [1, 2, 0], "c": [0, 1, 0]}


def test_a_loss_far_above_that_of_a_guess_is_said(
    predictions: Predictions, card: DataCard, parameters: Parameters, caplog: pytest.LogCaptureFixture
) -> None:
    score(predictions, card, parameters.evaluation)
    assert "diverged" not in caplog.text
    score(replace(predictions, logits=-1e4 * predictions.logits), card, parameters.evaluation)
    assert "that of a guess 1.1: the training diverged (lower training.learning_rate), or" in caplog.text
