"""Learning rate, length and end of training.

The learning rate depends only on the update, so a resumed run needs no state for it.
"""

import logging
import math
from collections.abc import Callable

from mnist_lstm.errors import UserError
from mnist_lstm.parameters import TrainingParameters

RISE = 0.3  # fraction of a one-cycle schedule with rising learning rate
FIRST, LAST = 1 / 25, 1 / 250_000  # fractions of the highest rate at the start and the end of a one-cycle schedule

logger = logging.getLogger(__name__)
Cosine = Callable[[float], float]


def _cosine(progress: float, cosine: Cosine) -> float:
    """From the highest rate down to zero along half a cosine.

    Source: Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983.
    """
    return _between(1, 0, progress, cosine)


def _one_cycle(progress: float, cosine: Cosine) -> float:
    """Up to the highest rate and down again, each along half a cosine, with the fractions of torch's `OneCycleLR`.

    Source: Smith and Topin 2018, https://arxiv.org/abs/1708.07120.
    """
    if progress < RISE:
        return _between(FIRST, 1, progress / RISE, cosine)
    return _between(1, LAST, (progress - RISE) / (1 - RISE), cosine)


def _between(first: float, last: float, progress: float, cosine: Cosine) -> float:
    return last + (first - last) * (1 + cosine(math.pi * progress)) / 2


# Each maps progress, from 0 to below 1, to a fraction of the highest rate.
SCHEDULES: dict[str, Callable[[float, Cosine], float]] = {
    "constant": lambda progress, cosine: 1.0,
    "cosine": _cosine,
    "one_cycle": _one_cycle,
}


def learning_rate(training: TrainingParameters, update: int, total: int, cosine: Cosine = math.cos) -> float:
    """The learning rate of an update.

    Args:
        update: 1 to `total`.
        total: number of updates of the complete training, more than `training.warmup`.
        cosine: of the schedules that follow one.
    """
    done = max(0, update - 1 - training.warmup) / (total - training.warmup)
    warmth = min(1.0, update / training.warmup) if training.warmup else 1.0
    return training.learning_rate * warmth * SCHEDULES[training.schedule](done, cosine)


def total_updates(training: TrainingParameters, images: int) -> int:
    """Number of updates: `iterations`, or enough to read the training images `epochs` times.

    Raises:
        UserError: if the warm-up is not shorter than training.
    """
    total = training.iterations or math.ceil((training.epochs or 0) * images / training.batch_size)
    if training.warmup >= total:
        raise UserError(f"training.warmup must be fewer than the {total} updates, found {training.warmup}; lower it.")
    return total


def warn_of_vain_patience(training: TrainingParameters, total: int) -> None:
    """Warns if a training of `total` updates ends before `training.patience` could end it."""
    validations = math.ceil(total / training.validate_every)
    if training.patience and training.patience >= validations - 1:
        logger.warning(
            "training.patience %d never ends this training, which validates %d times in its %d updates; lower it, or "
            "training.validate_every.",
            training.patience,
            validations,
            total,
        )


def out_of_patience(history: list[dict[str, float]], patience: int | None) -> bool:
    """Whether none of the last `patience` validations improved on the best before them."""
    accuracies = [row["valid_accuracy"] for row in history if not math.isnan(row["valid_accuracy"])]
    if patience is None or not accuracies:
        return False
    return len(accuracies) - 1 - accuracies.index(max(accuracies)) >= patience
