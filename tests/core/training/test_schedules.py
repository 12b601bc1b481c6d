"""Learning rates by update, compared with torch's own schedulers, and when training stops."""

import math
from typing import Any, get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR

from mnist_lstm.core.training.schedules import (
    SCHEDULES,
    learning_rate,
    out_of_patience,
    total_updates,
    warn_of_vain_patience,
)
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import Parameters, TrainingParameters

TOTAL, PEAK = 40, 0.01


def rates(parameters: Parameters, **changes: Any) -> list[float]:
    training = parameters.training.model_copy(update={"learning_rate": PEAK} | changes)
    return [learning_rate(training, update, TOTAL) for update in range(1, TOTAL + 1)]


def torchs(scheduler: type[LRScheduler], **settings: Any) -> list[float]:
    optimizer = SGD([torch.zeros(1)], lr=PEAK)
    schedule, found = scheduler(optimizer, **settings), []
    for _ in range(TOTAL):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


def test_a_constant_rate_is_the_rate_to_the_bit_and_a_cosine_is_torchs(parameters: Parameters) -> None:
    assert set(rates(parameters)) == {PEAK}
    assert rates(parameters, schedule="cosine") == pytest.approx(torchs(CosineAnnealingLR, T_max=TOTAL))


def test_one_cycle_is_torchs(parameters: Parameters) -> None:
    # torch puts the peak and the end each one update earlier
    expected = torchs(OneCycleLR, max_lr=PEAK, total_steps=TOTAL, cycle_momentum=False)
    found = rates(parameters, schedule="one_cycle")
    assert found[0] == pytest.approx(expected[0])
    assert max(found) == pytest.approx(PEAK)
    assert found == pytest.approx(expected, abs=PEAK / 10)
    assert found.index(max(found)) == round(0.3 * TOTAL)


def test_a_warm_up_rises_linearly_to_the_schedules_first_rate(parameters: Parameters) -> None:
    found = rates(parameters, warmup=4)
    assert found[:5] == pytest.approx([PEAK / 4, PEAK / 2, PEAK * 3 / 4, PEAK, PEAK])


def test_after_a_warm_up_the_schedule_takes_the_updates_that_are_left(parameters: Parameters) -> None:
    training = parameters.training.model_copy(update={"schedule": "cosine"})
    shorter = [learning_rate(training, update, TOTAL - 4) for update in range(1, TOTAL - 3)]
    warm = training.model_copy(update={"warmup": 4})
    assert [learning_rate(warm, update, TOTAL) for update in range(5, TOTAL + 1)] == pytest.approx(shorter)


@given(
    st.sampled_from(sorted(SCHEDULES)),
    st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n))),
)
def test_a_rate_is_above_zero_and_never_above_the_highest(schedule: str, drawn: tuple[int, int]) -> None:
    total, update = drawn
    training = TrainingParameters.model_construct(
        precision="float32", learning_rate=PEAK, schedule=schedule, warmup=total // 3
    )
    assert 0 < learning_rate(training, update, total) <= PEAK


def test_the_schedules_are_those_that_the_parameters_allow() -> None:
    assert set(SCHEDULES) == set(get_args(TrainingParameters.model_fields["schedule"].annotation))


def history(*accuracies: float) -> list[dict[str, float]]:
    return [{"valid_accuracy": accuracy} for accuracy in accuracies]


@pytest.mark.parametrize(
    ("epochs", "updates"),
    [(1, 4), (2, 7), (16, 50), (None, 799)],
    ids=["rounded up", "over both epochs at once", "even", "iterations"],
)
def test_epochs_are_as_many_updates_as_read_every_image_so_often_and_iterations_are_the_updates(
    parameters: Parameters, epochs: int | None, updates: int
) -> None:
    length = {"iterations": None, "epochs": epochs} if epochs else {}
    assert total_updates(parameters.training.model_copy(update=length | {"batch_size": 16}), 50) == updates


@pytest.mark.parametrize("warmup", [30, 31])
def test_a_warm_up_that_is_all_of_the_training_is_refused(parameters: Parameters, warmup: int) -> None:
    training = parameters.training.model_copy(update={"iterations": 30, "warmup": warmup})
    with pytest.raises(UserError, match=rf"^training\.warmup must be fewer than the 30 updates, found {warmup}; "):
        total_updates(training, 50)


def test_patience_ends_after_that_many_validations_without_a_better_one_which_renews_it() -> None:
    accuracies = [0.5, math.nan, 0.7, math.nan, 0.7, math.nan, 0.6]
    assert [out_of_patience(history(*accuracies[:end]), 2) for end in range(8)] == [False] * 7 + [True]
    assert not out_of_patience(history(0.5, 0.4, 0.6, 0.3), 2)
    assert not out_of_patience(history(0.5, *[0.1] * 50), None)


@pytest.mark.parametrize(("patience", "warns"), [(6, False), (7, True), (None, False)])
def test_patience_that_cannot_end_a_training_is_said(
    parameters: Parameters, patience: int | None, warns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    training = parameters.training.model_copy(update={"patience": patience})
    warn_of_vain_patience(training, 799)  # validated at 100, 200, ..., 700 and 799
    assert ("patience 7 never ends this training, which validates 8 times" in caplog.text) == warns
