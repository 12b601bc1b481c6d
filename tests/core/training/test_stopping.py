import math

import pytest

from mnist_lstm.core.training.schedules import out_of_patience, total_updates
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import Parameters


def history(*accuracies: float) -> list[dict[str, float]]:
    return [{"valid_accuracy": accuracy} for accuracy in accuracies]


@pytest.mark.parametrize(
    ("epochs", "updates"), [(1, 4), (2, 7), (16, 50)], ids=["rounded up", "over both epochs at once", "even"]
)
def test_epochs_are_as_many_updates_as_read_every_image_so_often(
    parameters: Parameters, epochs: int, updates: int
) -> None:
    training = parameters.training.model_copy(update={"iterations": None, "epochs": epochs, "batch_size": 16})
    assert total_updates(training, 50) == updates


def test_iterations_are_the_updates(parameters: Parameters) -> None:
    assert total_updates(parameters.training, 50) == 799


@pytest.mark.parametrize("warmup", [30, 31])
def test_a_warm_up_that_is_all_of_the_training_is_refused(parameters: Parameters, warmup: int) -> None:
    training = parameters.training.model_copy(update={"iterations": 30, "warmup": warmup})
    with pytest.raises(UserError, match=rf"^training\.warmup must be fewer than the 30 updates, found {warmup}; "):
        total_updates(training, 50)


def test_patience_ends_after_that_many_validations_without_a_better_one() -> None:
    accuracies = [0.5, math.nan, 0.7, math.nan, 0.7, math.nan, 0.6]
    assert [out_of_patience(history(*accuracies[:end]), 2) for end in range(8)] == [False] * 7 + [True]


def test_a_better_validation_renews_the_patience() -> None:
    assert not out_of_patience(history(0.5, 0.4, 0.6, 0.3), 2)


def test_without_a_limit_patience_does_not_end() -> None:
    assert not out_of_patience(history(0.5, *[0.1] * 50), None)
