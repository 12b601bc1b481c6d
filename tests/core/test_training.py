import itertools
import math
from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.testing import assert_close

from mnist_lstm.core import metrics
from mnist_lstm.core.batches import batches
from mnist_lstm.core.models import classify, restored_classifier
from mnist_lstm.core.training import fit, paced
from mnist_lstm.core.updates import OPTIMIZERS
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import TrainingParameters
from tests.core.conftest import Trial, assert_same_bits

COLUMNS = ["iteration", "epoch", "train_loss", "train_accuracy", "valid_loss", "valid_accuracy"]


def test_a_state_is_not_changed_by_further_training(trial: Trial) -> None:
    reports = trial.reports()
    first = next(reports).state()
    list(reports)
    assert_same_bits(first, trial.states()[0])


def test_a_reports_history_is_not_changed_by_further_training(trial: Trial) -> None:
    assert [len(report.history) for report in list(trial.reports())] == [1, 2, 3, 4, 5, 6, 7]


def test_two_runs_of_one_seed_end_with_the_same_bits(trial: Trial) -> None:
    assert_same_bits(trial.states()[-1], trial.states()[-1])


def test_another_seed_gives_other_batches_and_dropout(trial: Trial) -> None:
    one, other = (trial.states(seed=seed)[0] for seed in (1, 2))
    assert not torch.equal(one.weights["readout.weight"], other.weights["readout.weight"])
    assert not torch.equal(one.random_state, other.random_state)


@pytest.mark.parametrize("changes", [{"validate_every": 1}, {"log_every": 1}, {"keep": "best"}])
def test_looking_at_a_run_has_no_effect_on_its_weights(trial: Trial, changes: dict[str, Any]) -> None:
    watched, unwatched = trial.states(**changes)[-1], trial.states(log_every=100, validate_every=100)[-1]
    assert_close(watched.weights, unwatched.weights, rtol=0, atol=0)
    assert torch.equal(watched.random_state, unwatched.random_state)


def test_training_learns_the_classes(trial: Trial) -> None:
    last = trial.states(iterations=150, learning_rate=0.05)[-1].history[-1]
    assert last["valid_accuracy"] == 1
    assert last["valid_loss"] < 0.2


def test_reports_come_at_logged_and_validated_updates_and_at_the_last(trial: Trial) -> None:
    iterations = [report.iteration for report in trial.reports(iterations=13, log_every=4, validate_every=5)]
    assert iterations == [4, 5, 8, 10, 12, 13]


def test_a_history_has_a_row_of_six_columns_for_each_report(trial: Trial) -> None:
    *_, last = trial.reports()
    assert [list(row) for row in last.history] == [COLUMNS] * 7
    assert [row["iteration"] for row in last.history] == [2, 4, 5, 6, 8, 10, 12]
    assert last.history[-1]["epoch"] == 12 * 16 / 50


def test_validation_columns_hold_numbers_at_validated_updates_alone(trial: Trial) -> None:
    *_, last = trial.reports()
    for column in ("valid_loss", "valid_accuracy"):
        assert [row["iteration"] for row in last.history if not math.isnan(row[column])] == [5, 10, 12]


def test_a_row_holds_the_batchs_loss_and_accuracy_just_before_its_update(trial: Trial) -> None:
    trial.parameters = trial.parameters.model_copy(
        update={"model": trial.parameters.model.model_copy(update={"dropout": 0.0})}
    )
    (row,) = trial.states(iterations=1)[-1].history
    train, order = trial.data.train, next(batches(50, 16, seed=1))
    logits = classify(trial.classifier(), train["sequences"][order], 16)
    labels = train["labels"][order]
    expected = cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels.astype(np.int64)))
    assert row["train_loss"] == pytest.approx(float(expected), abs=1e-6)
    assert row["train_accuracy"] == pytest.approx((logits.argmax(1) == labels).mean())


def test_a_row_holds_the_validation_images_loss_and_accuracy_just_after_its_update(trial: Trial) -> None:
    last, valid = trial.states()[-1], trial.data.valid
    logits = classify(restored_classifier(trial.parameters.model, 4, last.weights), valid["sequences"], 17)
    assert last.history[-1]["valid_loss"] == pytest.approx(metrics.cross_entropy(logits, valid["labels"]), abs=1e-6)
    assert last.history[-1]["valid_accuracy"] == metrics.accuracy(logits, valid["labels"])


def test_the_best_state_is_the_first_of_the_highest_validation_accuracy(trial: Trial) -> None:
    states = trial.states(iterations=40, learning_rate=0.1, validate_every=1)
    best = states[-1].best
    assert best is not None
    accuracies = [row["valid_accuracy"] for row in states[-1].history]
    first = int(np.argmax(accuracies))
    assert 0 < first < len(states) - 1, "the test needs a run whose best is neither its first nor its last"
    assert (best.iteration, best.accuracy) == (first + 1, accuracies[first])
    assert_close(best.weights, states[first].weights, rtol=0, atol=0)


def test_the_constant_forget_bias_stays_as_it_is(trial: Trial) -> None:
    constant = trial.states(learning_rate=0.5)[-1].weights["recurrent.bias_hh_l0"]
    assert constant.tolist() == [0] * 6 + [1] * 6 + [0] * 12


def test_a_loss_that_is_not_finite_stops_the_run_at_its_update(trial: Trial) -> None:
    classifier = trial.classifier()
    reports = fit(classifier, trial.data.train, trial.data.valid, trial.parameters.training)
    states = [next(reports).state(), next(reports).state()]
    with torch.no_grad():
        classifier.readout.bias.fill_(math.nan)
    with pytest.raises(UserError, match=r"found nan at update 5; lower training\.learning_rate \(now 0\.01\)"):
        next(reports)
    for state, expected in zip(states, trial.states(), strict=False):
        assert_same_bits(state, expected)
    assert torch.equal(classifier.readout.weight, states[-1].weights["readout.weight"])


def test_a_learning_rate_far_too_high_stops_the_run(trial: Trial) -> None:
    with pytest.raises(UserError, match="must stay finite, found nan at update"):
        trial.states(learning_rate=1e38)


def test_a_run_whose_last_update_breaks_the_weights_does_not_end_well(trial: Trial) -> None:
    with pytest.raises(UserError, match="must stay finite"):
        trial.states(learning_rate=1e38, iterations=1)


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_training_takes_its_own_number_of_threads_and_gives_the_former_back(trial: Trial) -> None:
    during = [torch.get_num_threads() for _ in trial.reports(threads=1)]
    assert set(during) == {1}
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
def test_the_number_of_threads_comes_back_where_a_run_is_abandoned(trial: Trial) -> None:
    reports = trial.reports(threads=1)
    next(reports)
    reports.close()  # type: ignore[attr-defined]
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
def test_the_number_of_threads_comes_back_after_an_error(trial: Trial) -> None:
    with pytest.raises(UserError):
        trial.states(learning_rate=1e38, threads=1)
    assert torch.get_num_threads() == 2


def paced_iterations(trial: Trial, seconds: float) -> list[int]:
    return [report.iteration for report in paced(trial.reports(), seconds)]


def test_pacing_by_no_time_yields_every_report(trial: Trial) -> None:
    assert paced_iterations(trial, 0.0) == [2, 4, 5, 6, 8, 10, 12]


def test_pacing_always_yields_the_first_report_and_the_last(trial: Trial) -> None:
    assert paced_iterations(trial, math.inf) == [2, 12]


def test_pacing_yields_once_where_there_is_one_report(trial: Trial) -> None:
    assert [report.iteration for report in paced(trial.reports(iterations=1), math.inf)] == [1]


def test_pacing_yields_a_report_when_its_seconds_have_passed(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count()
    monkeypatch.setattr("mnist_lstm.core.training.time.monotonic", lambda: next(clock))
    assert paced_iterations(trial, 2) == [2, 5, 8, 12]


def test_a_paced_report_holds_the_state_of_its_own_iteration(trial: Trial) -> None:
    states = [report.state() for report in paced(trial.reports(), math.inf)]
    expected = trial.states()
    for state, same in zip(states, (expected[0], expected[-1]), strict=True):
        assert_same_bits(state, same)


def test_the_optimisers_are_those_that_the_parameters_allow() -> None:
    assert set(OPTIMIZERS) == set(get_args(TrainingParameters.model_fields["optimizer"].annotation))
