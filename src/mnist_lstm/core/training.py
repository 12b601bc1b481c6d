"""Training as a generator: one report at each point of the curves."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from mnist_lstm.core import metrics
from mnist_lstm.core.batches import batches
from mnist_lstm.core.models import RecurrentClassifier, classify
from mnist_lstm.core.splits import Arrays
from mnist_lstm.core.updates import new_optimizer, update
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import TrainingParameters

DROPOUT = 1  # tells its random stream from that of the initial weights
VALIDATION_BATCH = 1000  # images in one forward pass; bounds the memory, not the result

Weights = dict[str, Tensor]
Row = dict[str, float]


@dataclass(frozen=True)
class Best:
    """The weights of the highest validation accuracy so far."""

    iteration: int
    accuracy: float
    weights: Weights


@dataclass(frozen=True)
class TrainingState:
    """All that training needs to continue as if it had not stopped; the batches follow from `iteration`."""

    iteration: int
    weights: Weights
    optimizer: dict[str, Any]
    random_state: Tensor  # of torch's generator, which dropout draws from
    history: list[Row]
    best: Best | None


@dataclass(frozen=True)
class Report:
    """Training after so many updates.

    Attributes:
        iteration: updates done.
        history: a row for each logged update so far, with iteration, epoch, train_loss, train_accuracy (of the batch,
            just before its update), valid_loss and valid_accuracy (nan where the validation images were not read).
        state: takes a snapshot; call it before the next report is asked for.
    """

    iteration: int
    history: list[Row]
    state: Callable[[], TrainingState]


def fit(
    classifier: RecurrentClassifier,
    train: Arrays,
    valid: Arrays,
    training: TrainingParameters,
    state: TrainingState | None = None,
) -> Iterator[Report]:
    """Trains `classifier` in place and reports at every logged or validated update and at the last.

    Args:
        classifier: with its initial weights.
        train, valid: "sequences" uint8 (N, T, F) and "labels" (N,).
        training: the settings.
        state: continue from here; the weights come from it then.

    Raises:
        UserError: at the first update whose loss is not finite, and before a report of weights that are not.
    """
    optimizer = new_optimizer(classifier, training)
    history: list[Row] = list(state.history) if state else []
    best = state.best if state else None
    start = state.iteration if state else 0
    _restore(classifier, optimizer, state, training.seed)
    classifier.train()

    def snapshot() -> TrainingState:
        return TrainingState(
            iteration,
            _copy(classifier.state_dict()),
            _copy(optimizer.state_dict()),
            torch.get_rng_state(),
            [*history],
            best,
        )

    if state and start >= training.iterations:
        yield Report(start, history, lambda: state)
        return
    inputs, targets = torch.from_numpy(train["sequences"]), torch.from_numpy(train["labels"].astype(np.int64))
    orders = batches(len(targets), training.batch_size, training.seed, start)
    with _threads(training.threads):
        for iteration, order in enumerate(islice(orders, training.iterations - start), start + 1):
            chosen = torch.from_numpy(order)
            loss, accuracy = update(classifier, optimizer, inputs[chosen], targets[chosen])
            if not math.isfinite(loss):
                raise _diverged(f"the training loss must stay finite, found {loss}", iteration, training)
            last = iteration == training.iterations
            validates = last or iteration % training.validate_every == 0
            if not (validates or iteration % training.log_every == 0):
                continue
            if not all(weight.isfinite().all() for weight in classifier.parameters()):
                raise _diverged("the weights must stay finite, found inf or nan", iteration, training)
            epoch = iteration * training.batch_size / len(targets)
            row = {"iteration": iteration, "epoch": epoch, "train_loss": loss, "train_accuracy": accuracy()}
            row |= validated(classifier, valid) if validates else NOT_VALIDATED
            history.append(row)
            if validates and (best is None or row["valid_accuracy"] > best.accuracy):
                best = Best(iteration, row["valid_accuracy"], _copy(classifier.state_dict()))
            yield Report(iteration, [*history], snapshot)


def _diverged(found: str, iteration: int, training: TrainingParameters) -> UserError:
    return UserError(
        f"{found} at update {iteration}; lower training.learning_rate (now {training.learning_rate}). "
        "The last checkpoint is kept."
    )


NOT_VALIDATED = {"valid_loss": math.nan, "valid_accuracy": math.nan}


def validated(classifier: RecurrentClassifier, valid: Arrays) -> Row:
    """Loss and accuracy on the validation images."""
    logits = classify(classifier, valid["sequences"], VALIDATION_BATCH)
    return {
        "valid_loss": metrics.cross_entropy(logits, valid["labels"]),
        "valid_accuracy": metrics.accuracy(logits, valid["labels"]),
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


def _restore(classifier: RecurrentClassifier, optimizer: Optimizer, state: TrainingState | None, seed: int) -> None:
    if state is None:
        torch.manual_seed(int(np.random.SeedSequence([seed, DROPOUT]).generate_state(1)[0]))
        return
    classifier.load_state_dict(state.weights)
    optimizer.load_state_dict(_copy(state.optimizer))
    torch.set_rng_state(state.random_state)


def _copy(value: Any) -> Any:
    """The same nest of dicts and lists with each tensor cloned."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Exactly `count` threads for torch on the CPU: the count decides the last bits of every sum."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
