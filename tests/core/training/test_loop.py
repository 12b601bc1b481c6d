import itertools
import math
from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.testing import assert_close

from mnist_lstm.core.evaluation import metrics
from mnist_lstm.core.model.classifier import classify, restored_classifier
from mnist_lstm.core.training.arithmetic import ARITHMETICS
from mnist_lstm.core.training.batches import batches
from mnist_lstm.core.training.compute import bfloat16_layers, kernel_layers
from mnist_lstm.core.training.loop import fit, paced
from mnist_lstm.core.training.schedules import learning_rate
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import TrainingParameters
from tests.core.conftest import SIZE, WAYS, Trial, assert_same_bits, needs_bfloat16, needs_bfloat16_kernel

COLUMNS = ["iteration", "epoch", "learning_rate", "train_loss", "train_accuracy", "valid_loss", "valid_accuracy"]


def test_a_state_is_not_changed_by_further_training(trial: Trial) -> None:
    reports = trial.reports()
    first = next(reports).state()
    list(reports)
    assert_same_bits(first, trial.states()[0])


@pytest.mark.parametrize("way", [{}, *WAYS.values()], ids=["plain", *WAYS])
def test_two_runs_of_one_seed_end_with_the_same_bits(trial: Trial, way: dict[str, Any]) -> None:
    assert_same_bits(trial.states(**way)[-1], trial.states(**way)[-1])


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_each_way_to_train_gives_other_weights(trial: Trial, way: dict[str, Any]) -> None:
    one, other = trial.states()[-1], trial.states(**way)[-1]
    assert not torch.equal(one.classifying["readout.weight"], other.classifying["readout.weight"])
    assert one.weights.keys() == other.weights.keys()


@pytest.mark.parametrize("way", [{}, *WAYS.values()], ids=["plain", *WAYS])
def test_each_way_to_train_learns_the_classes(trial: Trial, way: dict[str, Any]) -> None:
    changes = {"learning_rate": 0.05} | way | {"iterations": 150, "clip_norm": way.get("clip_norm") and 1.0}
    assert trial.states(**changes)[-1].history[-1]["valid_accuracy"] >= (0.9 if way else 1)


TORCH_OPTIMIZERS: list[tuple[type[torch.optim.Optimizer], dict[str, Any], dict[str, Any]]] = [
    (torch.optim.Adam, {}, {}),
    (torch.optim.Adam, {"weight_decay": 0.1}, {"weight_decay": 0.1}),
    (torch.optim.AdamW, {"weight_decay": 0.1}, {"optimizer": "adamw", "weight_decay": 0.1}),
    (torch.optim.SGD, {"momentum": 0.9}, {"optimizer": "sgd", "momentum": 0.9}),
    (torch.optim.SGD, {"weight_decay": 0.1}, {"optimizer": "sgd", "weight_decay": 0.1}),
]


@pytest.mark.parametrize(("kind", "settings", "changes"), TORCH_OPTIMIZERS)
def test_a_constant_rate_without_the_rest_follows_the_path_of_torchs_optimiser(
    trial: Trial, kind: Any, settings: dict[str, Any], changes: dict[str, Any]
) -> None:
    classifier, train = trial.classifier(), trial.data.train
    trained = [weight for weight in classifier.parameters() if weight.requires_grad]
    optimizer = kind(trained, lr=0.01, fused=True, **({"weight_decay": 0.0} | settings))
    torch.manual_seed(int(np.random.SeedSequence([1, 1]).generate_state(1)[0]))
    for batch_indices in itertools.islice(batches(50, 16, seed=1), 12):
        logits = classifier(torch.from_numpy(train.sequences[batch_indices]))
        loss = cross_entropy(logits, torch.from_numpy(train.labels[batch_indices].astype(np.int64)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    last = trial.states(**changes)[-1]
    assert_close(last.weights, dict(classifier.state_dict()), rtol=0, atol=0)
    assert_close(last.optimizer["state"], optimizer.state_dict()["state"], rtol=0, atol=0)


def test_another_seed_gives_other_batches_and_dropout(trial: Trial) -> None:
    one, other = (trial.states(seed=seed)[0] for seed in (1, 2))
    assert not torch.equal(one.weights["readout.weight"], other.weights["readout.weight"])
    assert not torch.equal(one.random_state, other.random_state)


@pytest.mark.parametrize("changes", [{"validate_every": 1}, {"log_every": 1}, {"keep": "best"}])
def test_looking_at_a_run_has_no_effect_on_its_weights(trial: Trial, changes: dict[str, Any]) -> None:
    watched, unwatched = trial.states(**changes)[-1], trial.states(log_every=100, validate_every=100)[-1]
    assert_close(watched.weights, unwatched.weights, rtol=0, atol=0)
    assert torch.equal(watched.random_state, unwatched.random_state)


@pytest.mark.parametrize(
    ("length", "updates"), [({"iterations": 13}, [4, 5, 8, 10, 12, 13]), ({"iterations": None, "epochs": 2}, [4, 5, 7])]
)
def test_reports_come_at_logged_and_validated_updates_and_at_the_last_of_iterations_or_epochs(
    trial: Trial, length: dict[str, Any], updates: list[int]
) -> None:
    assert [report.update for report in trial.reports(**length, log_every=4, validate_every=5)] == updates


def test_a_history_has_a_row_for_each_report_until_then_with_validation_where_there_was_one(trial: Trial) -> None:
    reports = list(trial.reports())
    assert [len(report.history) for report in reports] == [1, 2, 3, 4, 5, 6, 7]
    history = reports[-1].history
    assert [list(row) for row in history] == [COLUMNS] * 7
    assert [row["iteration"] for row in history] == [2, 4, 5, 6, 8, 10, 12]
    assert history[-1]["epoch"] == 12 * 16 / 50
    for column in ("valid_loss", "valid_accuracy"):
        assert [row["iteration"] for row in history if not math.isnan(row[column])] == [5, 10, 12]


def test_a_row_holds_the_batchs_loss_and_accuracy_just_before_its_update(trial: Trial) -> None:
    trial = trial.other({"dropout": 0.0})
    (row,) = trial.states(iterations=1)[-1].history
    train, batch_indices = trial.data.train, next(batches(50, 16, seed=1))
    logits = classify(trial.classifier(), train.sequences[batch_indices], 16)
    labels = train.labels[batch_indices]
    assert row["train_loss"] == pytest.approx(metrics.cross_entropy(logits, labels), abs=1e-6)
    assert row["train_accuracy"] == pytest.approx(metrics.accuracy(logits, labels))


def validated(trial: Trial, weights: dict[str, Tensor]) -> float:
    """The loss of these weights on the validation images."""
    valid = trial.data.valid
    logits = classify(restored_classifier(trial.parameters.model, 4, weights), valid.sequences, 17)
    return metrics.cross_entropy(logits, valid.labels)


def test_a_row_holds_the_validation_images_loss_and_accuracy_just_after_its_update(trial: Trial) -> None:
    last, valid = trial.states()[-1], trial.data.valid
    assert last.history[-1]["valid_loss"] == pytest.approx(validated(trial, last.weights), abs=1e-6)
    logits = classify(restored_classifier(trial.parameters.model, 4, last.weights), valid.sequences, 17)
    assert last.history[-1]["valid_accuracy"] == metrics.accuracy(logits, valid.labels)


def test_the_best_state_is_the_first_of_the_highest_validation_accuracy(trial: Trial) -> None:
    states = trial.states(iterations=40, learning_rate=0.1, validate_every=1)
    best = states[-1].best
    assert best is not None
    accuracies = [row["valid_accuracy"] for row in states[-1].history]
    first = int(np.argmax(accuracies))
    assert 0 < first < len(states) - 1, "the test needs a run whose best is neither its first nor its last"
    assert (best.iteration, best.accuracy) == (first + 1, accuracies[first])
    assert_close(best.weights, states[first].weights, rtol=0, atol=0)


def test_the_learning_rate_of_each_row_is_that_of_its_update(trial: Trial) -> None:
    *_, last = trial.reports(schedule="cosine", warmup=4, log_every=1)
    training = trial.parameters.training.model_copy(update={"schedule": "cosine", "warmup": 4})
    expected = [learning_rate(training, update, 12) for update in range(1, 13)]
    assert [row["learning_rate"] for row in last.history] == expected


def test_an_update_moves_the_weights_by_its_own_rate(trial: Trial) -> None:
    # without momentum an update of SGD is the gradient times the rate, so half the rate moves half as far
    way: dict[str, Any] = {"optimizer": "sgd", "iterations": 2, "log_every": 1, "learning_rate": 0.1}
    plain, warm = (trial.states(**way, warmup=warmup)[0].weights for warmup in (0, 1))
    assert_close(plain, warm, rtol=0, atol=0)
    slow = trial.states(**(way | {"iterations": 4}), warmup=2)[0].weights
    start = trial.classifier().state_dict()
    moved = {name: start[name] + (plain[name] - start[name]) / 2 for name in start}
    assert_close(slow, moved, rtol=1e-5, atol=1e-6)


def test_clipping_bounds_the_gradients_norm(trial: Trial) -> None:
    start = trial.classifier().state_dict()
    once: dict[str, Any] = {"optimizer": "sgd", "learning_rate": 1.0, "iterations": 1, "momentum": 0.0}
    free, clipped = (trial.states(**once, clip_norm=norm)[0].weights for norm in (None, 0.01))
    norms = [math.sqrt(sum(float((to[name] - start[name]).square().sum()) for name in start)) for to in (free, clipped)]
    assert norms[0] > 0.1
    assert norms[1] == pytest.approx(0.01, rel=1e-3)


def test_the_average_is_that_of_the_weights_after_each_update(trial: Trial) -> None:
    states = trial.states(ema_decay=0.5, log_every=1, validate_every=100)
    average = trial.classifier().state_dict()
    for update, state in enumerate(states, 1):
        decay = min(0.5, (1 + update) / (10 + update))
        average = {name: decay * average[name] + (1 - decay) * state.weights[name] for name in average}
        assert state.average is not None
        assert_close(state.average, average)


def test_the_average_is_validated_and_saved_as_the_best_and_leaves_training_alone(trial: Trial) -> None:
    last = trial.states(ema_decay=0.9)[-1]
    assert last.average is not None
    assert last.history[-1]["valid_loss"] == pytest.approx(validated(trial, last.average), abs=1e-6)
    assert_close(last.weights, trial.states()[-1].weights, rtol=0, atol=0)
    best = trial.states(ema_decay=0.9, validate_every=12)[-1]
    assert best.best is not None
    assert_close(best.best.weights, best.average, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("precision", "rounding"),
    [
        pytest.param("bfloat16", 1e-9, marks=needs_bfloat16),
        pytest.param("bfloat16_kernel", 1e-7, marks=needs_bfloat16_kernel),  # classifies by the kernel
    ],
)
def test_in_bfloat16_weights_and_evaluation_stay_float32(trial: Trial, precision: str, rounding: float) -> None:
    last = trial.states(precision=precision)[-1]
    assert {weight.dtype for weight in last.weights.values()} == {torch.float32}
    assert last.history[-1]["valid_loss"] == pytest.approx(validated(trial, last.weights), abs=rounding)


@needs_bfloat16_kernel
def test_the_kernels_bfloat16_is_of_training_alone(trial: Trial) -> None:
    classifier, sequences = trial.classifier(), torch.from_numpy(trial.data.train.sequences)
    with kernel_layers(True, classifier, torch.device("cpu")):
        training, evaluating = classifier.train().outputs(sequences), classifier.eval().outputs(sequences)
    assert_close(training, training.bfloat16().float(), rtol=0, atol=0)
    assert not torch.equal(training, evaluating)
    assert_close(evaluating, classifier.outputs(sequences), rtol=1e-5, atol=1e-6)


@needs_bfloat16
def test_in_bfloat16_the_recurrent_layer_alone_computes_so_and_only_while_it_trains(trial: Trial) -> None:
    classifier, seen = trial.classifier(), []
    with bfloat16_layers(classifier, torch.device("cpu")):
        classifier.recurrent.register_forward_hook(lambda *_: seen.append(torch.is_autocast_enabled("cpu")))
        sequences = torch.from_numpy(trial.data.train.sequences)
        training, evaluating = classifier.train().outputs(sequences), classifier.eval().outputs(sequences)
    assert torch.equal(evaluating, classifier.outputs(sequences))
    assert not torch.equal(training, evaluating)
    assert_close(training, training.bfloat16().float(), rtol=0, atol=0)
    assert seen == [False] * 3
    assert torch.equal(classifier.train().outputs(sequences), evaluating)


@pytest.mark.parametrize(("patience", "last"), [(2, 15), (None, 20)])
def test_only_the_last_state_has_ended_by_patience_or_by_length(trial: Trial, patience: int | None, last: int) -> None:
    states = trial.states(patience=patience, learning_rate=1e-9, iterations=20)
    assert [state.ended for state in states] == [False] * (len(states) - 1) + [True]
    assert states[-1].iteration == last


def test_without_a_graphics_card_auto_is_the_cpu_and_cuda_is_refused(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserError, match=r"^training\.device 'cuda' needs a CUDA device .*; set auto or cpu\.$"):
        trial.states(device="cuda")
    assert_same_bits(trial.states(device="auto")[-1], trial.states(device="cpu")[-1])


def test_the_constant_forget_bias_stays_as_it_is(trial: Trial) -> None:
    constant = trial.states(learning_rate=0.5)[-1].weights["recurrent.bias_hh_l0"]
    assert constant.tolist() == [0] * 6 + [1] * 6 + [0] * 12


def test_a_loss_that_is_not_finite_stops_the_run_at_its_update(trial: Trial) -> None:
    classifier = trial.classifier()
    reports = fit(classifier, trial.data.train, trial.data.valid, trial.parameters.training, SIZE)
    states = [next(reports).state(), next(reports).state()]
    with torch.no_grad():
        classifier.readout.bias.fill_(math.nan)
    with pytest.raises(UserError, match=r"found nan at update 5; lower training\.learning_rate \(now 0\.01\)"):
        next(reports)
    for state, expected in zip(states, trial.states(), strict=False):
        assert_same_bits(state, expected)
    assert torch.equal(classifier.readout.weight, states[-1].weights["readout.weight"])


@pytest.mark.parametrize(("iterations", "found"), [(12, "found nan at update"), (1, "weights must stay finite")])
def test_a_learning_rate_far_too_high_stops_the_run_even_at_its_last_update(
    trial: Trial, iterations: int, found: str
) -> None:
    with pytest.raises(UserError, match=found):
        trial.states(learning_rate=1e38, iterations=iterations)


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_training_has_threads_of_its_own_and_gives_the_former_back_also_where_it_is_abandoned_or_fails(
    trial: Trial,
) -> None:
    *during, afterwards = [torch.get_num_threads() for _ in trial.reports(threads=1)]
    assert set(during) == {1}
    assert afterwards == 2  # the last report comes when training has given back its threads and its memory
    reports = trial.reports(threads=1)
    next(reports)
    reports.close()  # type: ignore[attr-defined]
    assert torch.get_num_threads() == 2
    with pytest.raises(UserError):
        trial.states(learning_rate=1e38, threads=1)
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    ("iterations", "seconds", "updates"),
    [(12, 0, [2, 4, 5, 6, 8, 10, 12]), (12, math.inf, [2, 12]), (1, math.inf, [1]), (12, 2, [2, 5, 8, 12])],
    ids=["every report", "the first and the last", "one report once", "a report when its seconds have passed"],
)
def test_pacing_yields(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, iterations: int, seconds: float, updates: list[int]
) -> None:
    clock = itertools.count()
    monkeypatch.setattr("mnist_lstm.core.training.loop.time.monotonic", lambda: next(clock))
    assert [report.update for report in paced(trial.reports(iterations=iterations), seconds)] == updates


def test_a_paced_report_holds_the_state_of_its_own_update(trial: Trial) -> None:
    states = [report.state() for report in paced(trial.reports(), math.inf)]
    expected = trial.states()
    for state, same in zip(states, (expected[0], expected[-1]), strict=True):
        assert_same_bits(state, same)


def test_the_optimisers_are_those_that_the_parameters_allow() -> None:
    allowed = set(get_args(TrainingParameters.model_fields["optimizer"].annotation))
    assert [set(arithmetic.optimizers) for arithmetic in ARITHMETICS.values()] == [allowed] * len(ARITHMETICS)
