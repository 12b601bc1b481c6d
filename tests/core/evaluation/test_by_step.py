from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from mnist_lstm.core.evaluation.by_step import (
    RUNNING,
    accuracy_by_step,
    class_probabilities_by_step,
    decision_steps,
    evaluate_by_step,
    predictions_by_step,
)
from mnist_lstm.core.model.pooling import POOLINGS
from tests.support import tiny

poolings = pytest.mark.parametrize("pooling", POOLINGS)


@pytest.mark.parametrize("layers", [1, 2])
@poolings
def test_the_last_probabilities_are_the_softmax_of_the_logits(layers: int, pooling: str) -> None:
    classifier, images = tiny.classifier(layers, pooling=pooling), tiny.images(7)
    found = class_probabilities_by_step(classifier, images)
    assert found.shape == (7, tiny.HEIGHT, tiny.CLASSES)
    assert_allclose(found[:, -1], tiny.probabilities(classifier, images), atol=1e-6)


@poolings
def test_the_probabilities_after_a_step_are_those_of_the_image_cut_off_there(pooling: str) -> None:
    classifier, images = tiny.classifier(pooling=pooling), tiny.images(7)
    found = class_probabilities_by_step(classifier, images)
    for step in range(1, tiny.HEIGHT + 1):
        assert_allclose(found[:, step - 1], tiny.probabilities(classifier, images[:, :step]), atol=1e-6)


def test_scores_far_apart_leave_all_probabilities_finite() -> None:
    classifier, images = tiny.classifier(pooling="attention"), tiny.images(7)
    with torch.no_grad():
        classifier.attention.weight.mul_(1e6)
    assert np.isfinite(class_probabilities_by_step(classifier, images)).all()


@poolings
def test_a_bidirectional_network_has_final_probabilities_only(pooling: str) -> None:
    classifier, images = tiny.classifier(bidirectional=True, pooling=pooling), tiny.images(7)
    expected = tiny.probabilities(classifier, images)
    assert_allclose(class_probabilities_by_step(classifier, images), expected[:, None], atol=1e-6)
    assert_array_equal(predictions_by_step(classifier, images), expected.argmax(axis=1)[:, None])


def test_every_way_of_pooling_has_its_running_form() -> None:
    assert set(RUNNING) == set(POOLINGS)


def test_predictions_are_the_most_probable_classes() -> None:
    classifier, images = tiny.classifier(), tiny.images(7)
    expected = class_probabilities_by_step(classifier, images).argmax(axis=-1)
    assert_array_equal(predictions_by_step(classifier, images), expected)


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        ([[1, 1, 1, 1], [0, 1, 1, 1], [1, 0, 0, 1], [1, 2, 1, 1], [0, 1, 2, 3]], [1, 2, 4, 3, 4]),
        ([[4], [0]], [1, 1]),
        ([0, 3, 3], 2),
    ],
    ids=["several images", "a single step", "a single image"],
)
def test_the_decision_step_is_the_step_of_the_last_change(predicted: list[Any], expected: Any) -> None:
    assert_array_equal(decision_steps(np.array(predicted)), expected)


def of_answers(answers: NDArray[np.uint8], labels: Any, steps: int) -> dict[str, NDArray[Any]]:
    correct = (answers == np.asarray(labels)[:, None]).sum(axis=0)
    return accuracy_by_step(correct, decision_steps(answers), steps, confidence=0.95)


def test_accuracy_by_step_counts_what_would_be_right_so_far_and_answers_at_the_end_only_for_the_last_step() -> None:
    answers = np.array([[0, 1, 1], [2, 2, 0], [0, 0, 0], [1, 1, 1]], np.uint8)
    found = of_answers(answers, [1, 2, 0, 0], steps=3)
    assert found["step"].tolist() == [1, 2, 3]
    assert found["accuracy"].tolist() == [0.5, 0.75, 0.5]
    assert found["decided"].tolist() == [0.5, 0.75, 1.0]
    assert all((found["accuracy_low"] < found["accuracy"]) & (found["accuracy"] < found["accuracy_high"]))
    last = of_answers(np.array([[1], [2]], np.uint8), [1, 1], steps=28)
    assert (last["step"].tolist(), last["accuracy"].tolist(), last["decided"].tolist()) == ([28], [0.5], [1.0])


@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_evaluating_in_batches_equals_evaluating_at_once(batch_size: int, bidirectional: bool) -> None:
    classifier, images, labels = tiny.classifier(bidirectional=bidirectional), tiny.images(7), tiny.labels(7)
    answers = predictions_by_step(classifier, images)
    found = evaluate_by_step(classifier, images, labels, batch_size, 0.95)
    assert_array_equal(found.predicted, answers[:, -1])
    assert_array_equal(found.decided, decision_steps(answers))
    expected = of_answers(answers, labels, images.shape[1])
    assert found.by_step.keys() == expected.keys()
    for name, column in expected.items():
        assert_array_equal(found.by_step[name], column)
