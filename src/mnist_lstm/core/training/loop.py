"""The training loop: a generator that reports at each point of the learning curves."""

import math
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from mnist_lstm.core.data.file_backed import FileBackedArray
from mnist_lstm.core.data.sequences import SequenceSplit
from mnist_lstm.core.evaluation import metrics
from mnist_lstm.core.kernel.buffers import kept_buffers
from mnist_lstm.core.model.classifier import RecurrentClassifier, classify
from mnist_lstm.core.training.allocator import reused_buffers
from mnist_lstm.core.training.arithmetic import ARITHMETICS
from mnist_lstm.core.training.augmentation import Augmentation, any_augmentation
from mnist_lstm.core.training.batches import batches
from mnist_lstm.core.training.compute import chosen_device, chosen_precision, expect_threads, threads
from mnist_lstm.core.training.data_parallel import SINGLE_PROCESS, DataParallel
from mnist_lstm.core.training.learner import Best, Learner, Row, TrainingState
from mnist_lstm.core.training.schedules import out_of_patience, total_updates
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import TrainingParameters

VALIDATION_BATCH = 250  # images per forward pass: bounds the memory and is faster than larger batches
NOT_VALIDATED = {"valid_loss": math.nan, "valid_accuracy": math.nan}

Update = tuple[int, Tensor, Tensor]  # number of the update, sequences and labels of its batch


@dataclass(frozen=True)
class Report:
    """The progress of training."""

    update: int  # number of updates done
    # A row per logged update, with iteration, epoch, learning_rate, train_loss (including label smoothing) and
    # train_accuracy (both of the batch, before its update), valid_loss and valid_accuracy (nan at updates without
    # validation)
    history: list[Row]
    state: Callable[[], TrainingState]  # takes a snapshot; call it before requesting the next report


def fit(
    classifier: RecurrentClassifier,
    train: SequenceSplit,
    valid: SequenceSplit,
    training: TrainingParameters,
    size: tuple[int, int],
    state: TrainingState | None = None,
    data_parallel: DataParallel = SINGLE_PROCESS,
) -> Iterator[Report]:
    """Trains `classifier` in place; yields a report at every logged or validated update and at the last.

    Args:
        classifier: with its initial weights; it is moved to the device that `training` selects.
        size: height and width of the images behind the sequences, in pixels.
        state: continues from here, including the weights.
        data_parallel: rank of this process; all other arguments must be equal in every process.

    Raises:
        UserError: if the loss is not finite (on a graphics card, detected at the next report), or the weights are not
            finite at a report; if the device, its bfloat16 or threads are missing; if the warm-up is not shorter than
            training.
    """
    device = chosen_device(training.device)
    precision = chosen_precision(classifier.model, training, device, train.sequences.dtype.kind == "f")
    training = training.model_copy(update={"precision": precision})
    learner = Learner(classifier.to(device), training, total_updates(training, len(train)), data_parallel)
    if state:
        learner.restore(state)
        if state.ended:
            yield Report(state.iteration, [*state.history], lambda: state)
            return
    expect_threads(training.threads)
    with reused_buffers(), kept_buffers(), threads(training.threads), ExitStack() as computing:
        for each in {classifier, learner.classifying}:
            computing.enter_context(ARITHMETICS[precision].layers(each, device))
        updates = _batches(train, training, size, device, state.iteration if state else 0, learner.total)
        last = yield from _reports(learner, updates, valid, training, len(train), state)
    yield last  # when the buffers of training are free again


def _reports(
    learner: Learner,
    updates: Iterable[Update],
    valid: SequenceSplit,
    training: TrainingParameters,
    images: int,
    state: TrainingState | None,
) -> Generator[Report, None, Report]:
    """Applies the updates and yields reports but the last, which it returns; `images` is the number to train on."""
    history, best = ([*state.history], state.best) if state else ([], None)
    for update, inputs, targets in updates:
        loss = learner.learn(inputs, targets, update)
        validates = update == learner.total or update % training.validate_every == 0
        reports = validates or update % training.log_every == 0
        if (reports or loss.device.type == "cpu") and not math.isfinite(loss):
            raise _diverged(f"the training loss must stay finite, found {float(loss)}", update, training)
        if not reports:
            continue
        if not learner.is_finite():
            raise _diverged("the weights must stay finite, found inf or nan", update, training)
        row = {"iteration": update, "epoch": update * training.batch_size / images}
        row |= {"learning_rate": learner.learning_rate(update)}
        row |= {"train_loss": float(loss), "train_accuracy": learner.accuracy()}
        row |= validated(learner.classifying, valid, training) if validates else NOT_VALIDATED
        history.append(row)
        if validates and (best is None or row["valid_accuracy"] > best.accuracy):
            best = Best(update, row["valid_accuracy"], learner.weights())
        ended = update == learner.total or out_of_patience(history, training.patience)
        report = Report(update, [*history], partial(learner.state, update, [*history], best, ended))
        if ended:
            return report
        yield report
    raise ValueError("there must be updates to make")


def _batches(
    train: SequenceSplit,
    training: TrainingParameters,
    size: tuple[int, int],
    device: torch.device,
    start: int,
    total: int,
) -> Iterator[Update]:
    """Yields number, sequences and labels of each update after `start`, up to `total`."""
    sequences = train.sequences
    inputs = None if isinstance(sequences, FileBackedArray) else torch.from_numpy(sequences).to(device)
    targets = torch.from_numpy(train.labels.astype(np.int64)).to(device)
    indices = batches(len(targets), training.batch_size, training.seed, start, training.shuffle_block)
    augment = None
    if any_augmentation(training.augmentation):
        by_kernel = ARITHMETICS[training.precision].by_kernel
        augment = Augmentation(training.augmentation, training.seed, train.pixel_order, size, device, by_kernel)
    for update, batch_indices in enumerate(islice(indices, total - start), start + 1):
        chosen = torch.from_numpy(batch_indices).to(device)
        batch = torch.from_numpy(sequences[batch_indices]).to(device) if inputs is None else inputs[chosen]
        yield update, augment(batch, update) if augment else batch, targets[chosen]


def _diverged(found: str, update: int, training: TrainingParameters) -> UserError:
    return UserError(
        f"{found} at update {update}; lower training.learning_rate (now {training.learning_rate}). "
        "The last checkpoint is kept."
    )


def validated(classifier: RecurrentClassifier, valid: SequenceSplit, training: TrainingParameters) -> Row:
    """Loss (nats) and accuracy on the validation images."""
    logits = classify(classifier, valid.sequences, VALIDATION_BATCH)
    return {
        "valid_loss": ARITHMETICS[training.precision].validation_loss(logits, valid.labels),
        "valid_accuracy": metrics.accuracy(logits, valid.labels),
    }


def paced(reports: Iterable[Report], seconds: float) -> Iterator[Report]:
    """Yields the first and the last report, and at most one per `seconds` in between, so that saving stays cheap."""
    last, pending = -math.inf, None
    for report in reports:
        pending = report
        if time.monotonic() - last >= seconds:
            yield report
            pending, last = None, time.monotonic()
    if pending:
        yield pending
