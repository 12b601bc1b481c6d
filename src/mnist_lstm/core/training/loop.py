"""Training as a generator: one report at each point of the curves."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from mnist_lstm.core.data.file_backed import FileBackedArray
from mnist_lstm.core.data.sequences import SequenceSplit
from mnist_lstm.core.evaluation import metrics
from mnist_lstm.core.model.classifier import RecurrentClassifier, classify
from mnist_lstm.core.training.allocator import reused_buffers
from mnist_lstm.core.training.augmentation import Augmentation, any_augmentation
from mnist_lstm.core.training.batches import batches
from mnist_lstm.core.training.compute import chosen_device, chosen_precision, recurrent_precision, threads
from mnist_lstm.core.training.data_parallel import SINGLE_PROCESS, DataParallel
from mnist_lstm.core.training.learner import Best, Learner, Row, TrainingState
from mnist_lstm.core.training.schedules import out_of_patience, total_updates
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import TrainingParameters

VALIDATION_BATCH = 250  # images in one forward pass: bounds the memory, and is faster than more
NOT_VALIDATED = {"valid_loss": math.nan, "valid_accuracy": math.nan}

Update = tuple[int, Tensor, Tensor]  # its number, and the sequences and labels of its batch


@dataclass(frozen=True)
class Report:
    """Training after so many updates.

    Attributes:
        update: updates done.
        history: a row for each logged update so far, with iteration, epoch, learning_rate, train_loss (what the update
            lowers, so with label smoothing), train_accuracy (both of the batch, just before its update), valid_loss
            and valid_accuracy (nan where the validation images were not read).
        state: takes a snapshot; call it before the next report is asked for.
    """

    update: int
    history: list[Row]
    state: Callable[[], TrainingState]


def fit(
    classifier: RecurrentClassifier,
    train: SequenceSplit,
    valid: SequenceSplit,
    training: TrainingParameters,
    size: tuple[int, int],
    state: TrainingState | None = None,
    data_parallel: DataParallel = SINGLE_PROCESS,
) -> Iterator[Report]:
    """Trains `classifier` in place and reports at every logged or validated update and at the last.

    Args:
        classifier: with its initial weights; moved to the device that `training` chooses.
        train, valid: the splits.
        training: the settings.
        size: height and width of the images behind the sequences.
        state: continue from here; the weights come from it then.
        data_parallel: the processes that train together, each of which calls this with the same arguments besides.

    Raises:
        UserError: at the first update whose loss is not finite (on a graphics card, at the next report), and before a
            report of weights that are not; where the device or its bfloat16 is missing, or the warm-up longer than
            the training.
    """
    device = chosen_device(training.device)
    precision = chosen_precision(training.precision, device)
    learner = Learner(classifier.to(device), training, total_updates(training, len(train)), data_parallel)
    if state:
        learner.restore(state)
        if state.ended:
            yield Report(state.iteration, [*state.history], lambda: state)
            return
    with reused_buffers(), threads(training.threads), recurrent_precision(classifier, precision, device):
        updates = _batches(train, training, size, device, state.iteration if state else 0, learner.total)
        yield from _reports(learner, updates, valid, training, len(train), state)


def _reports(
    learner: Learner,
    updates: Iterable[Update],
    valid: SequenceSplit,
    training: TrainingParameters,
    images: int,
    state: TrainingState | None,
) -> Iterator[Report]:
    """Makes the updates, of so many training images, and reports."""
    history, best = ([*state.history], state.best) if state else ([], None)
    for update, inputs, targets in updates:
        loss = learner.learn(inputs, targets, update)
        validates = update == learner.total or update % training.validate_every == 0
        reports = validates or update % training.log_every == 0
        if reports or loss.device.type == "cpu":
            _expect_finite(float(loss), update, training)
        if not reports:
            continue
        if not learner.is_finite():
            raise _diverged("the weights must stay finite, found inf or nan", update, training)
        row = {"iteration": update, "epoch": update * training.batch_size / images}
        row |= {"learning_rate": learner.learning_rate(update)}
        row |= {"train_loss": float(loss), "train_accuracy": learner.accuracy()}
        row |= validated(learner.classifying, valid) if validates else NOT_VALIDATED
        history.append(row)
        if validates and (best is None or row["valid_accuracy"] > best.accuracy):
            best = Best(update, row["valid_accuracy"], learner.weights())
        ended = update == learner.total or out_of_patience(history, training.patience)
        yield Report(update, [*history], partial(learner.state, update, [*history], best, ended))
        if ended:
            return


def _batches(
    train: SequenceSplit,
    training: TrainingParameters,
    size: tuple[int, int],
    device: torch.device,
    start: int,
    total: int,
) -> Iterator[Update]:
    """Each update's position, sequences and labels after `start`, up to `total`."""
    sequences = train.sequences
    inputs = None if isinstance(sequences, FileBackedArray) else torch.from_numpy(sequences).to(device)
    targets = torch.from_numpy(train.labels.astype(np.int64)).to(device)
    indices = batches(len(targets), training.batch_size, training.seed, start, training.shuffle_block)
    moves = any_augmentation(training.augmentation)
    augment = Augmentation(training.augmentation, training.seed, train.pixel_order, size, device) if moves else None
    for update, batch_indices in enumerate(islice(indices, total - start), start + 1):
        chosen = torch.from_numpy(batch_indices).to(device)
        batch = torch.from_numpy(sequences[batch_indices]).to(device) if inputs is None else inputs[chosen]
        yield update, augment(batch, update) if augment else batch, targets[chosen]


def _expect_finite(loss: float, update: int, training: TrainingParameters) -> None:
    if not math.isfinite(loss):
        raise _diverged(f"the training loss must stay finite, found {loss}", update, training)


def _diverged(found: str, update: int, training: TrainingParameters) -> UserError:
    return UserError(
        f"{found} at update {update}; lower training.learning_rate (now {training.learning_rate}). "
        "The last checkpoint is kept."
    )


def validated(classifier: RecurrentClassifier, valid: SequenceSplit) -> Row:
    """Loss and accuracy on the validation images."""
    logits = classify(classifier, valid.sequences, VALIDATION_BATCH)
    return {
        "valid_loss": metrics.cross_entropy(logits, valid.labels),
        "valid_accuracy": metrics.accuracy(logits, valid.labels),
    }


def paced(reports: Iterable[Report], seconds: float) -> Iterator[Report]:
    """The first and the last report, and of those between one every so many seconds, so that saving stays cheap."""
    passed, held = -math.inf, None
    for report in reports:
        held = report
        if time.monotonic() - passed >= seconds:
            yield report
            held, passed = None, time.monotonic()
    if held:
        yield held
