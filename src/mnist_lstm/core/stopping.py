"""When training ends: after its updates, or earlier, when validation has not become better for a while."""

import math

from mnist_lstm.errors import UserError
from mnist_lstm.parameters import TrainingParameters


def total_updates(training: TrainingParameters, images: int) -> int:
    """Updates of the whole training: `iterations`, or as many as read the training images `epochs` times.

    Raises:
        UserError: if the learning rate would still be in its warm-up at the end.
    """
    total = training.iterations or math.ceil((training.epochs or 0) * images / training.batch_size)
    if training.warmup >= total:
        raise UserError(f"training.warmup must be fewer than the {total} updates, found {training.warmup}; lower it.")
    return total


def out_of_patience(history: list[dict[str, float]], patience: int | None) -> bool:
    """Whether the last `patience` validations were all no better than the best before them."""
    accuracies = [row["valid_accuracy"] for row in history if not math.isnan(row["valid_accuracy"])]
    if patience is None or not accuracies:
        return False
    return len(accuracies) - 1 - accuracies.index(max(accuracies)) >= patience
