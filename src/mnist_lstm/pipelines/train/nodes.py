"""Trains the classifier and exports it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd
import torch

from mnist_lstm.cluster import expect_ray
from mnist_lstm.core.data.data_card import DataCard
from mnist_lstm.core.data.sequences import SequenceSplit, expect_view, to_images
from mnist_lstm.core.data.splits import ImageSplit
from mnist_lstm.core.inference.doubt import ink_of
from mnist_lstm.core.inference.typical import Typical, sample
from mnist_lstm.core.model.classifier import new_classifier
from mnist_lstm.core.model.export import ExportedModel, ImageClassifier
from mnist_lstm.core.training.arithmetic import ARITHMETICS
from mnist_lstm.core.training.augmentation import any_augmentation
from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.core.training.fingerprint import training_fingerprint_fields
from mnist_lstm.core.training.loop import Report, fit, paced
from mnist_lstm.core.training.program import program_continuing
from mnist_lstm.core.training.resume import checkpoint_to_continue
from mnist_lstm.core.training.schedules import total_updates, warn_of_vain_patience
from mnist_lstm.core.training.snapshots import Snapshots, SnapshotTaker
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import ModelParameters, SequenceParameters, TrainingParameters

EXAMPLES = 2  # images; with one, torch.export would fix the batch size


def train(
    train_sequences: SequenceSplit,
    valid_sequences: SequenceSplit,
    data_card: DataCard,
    earlier_checkpoints: Mapping[str, Callable[[], Checkpoint]],
    sequence: SequenceParameters,
    model: ModelParameters,
    training: TrainingParameters,
    recorded: Callable[[dict[str, Any]], Checkpoint | None] = lambda _: None,
) -> Iterator[dict[str, Any]]:
    """Trains the recurrent classifier and yields checkpoint, curves and snapshots about every second.

    Each is saved at once, so a killed run loses at most a second or so, and the curves can be watched. With
    `training.reuse`, the checkpoint of a recorded training is yielded in place of training, if there is one.
    """
    expect_view(train_sequences, sequence, *data_card.image_shape)
    if data_card.kind == "series" and any_augmentation(training.augmentation):
        raise UserError("training.augmentation must be all zero for series, as it moves images; leave it out.")
    fields = training_fingerprint_fields(sequence, model, training, train_sequences, valid_sequences)
    precision = fields["training.precision"]
    training = training.model_copy(update={"precision": precision})  # workers on other machines use it too
    before = checkpoint_to_continue(earlier_checkpoints, fields, training.resume)
    if training.reuse and before is None:
        before = recorded(fields)
    arithmetic = ARITHMETICS[precision]
    program = program_continuing(before.program if before else None, arithmetic.portable)
    shape = train_sequences.pixel_order.shape
    given = train_sequences.sequences
    classifier = new_classifier(model, shape, len(data_card.class_names), training.seed, given, arithmetic.by_kernel)
    splits = (train_sequences, valid_sequences)
    done = before.state.iteration if before else 0
    total = total_updates(training, len(train_sequences))
    warn_of_vain_patience(training, total)
    taker = SnapshotTaker(classifier, total, done)
    reports = engine_of(training)(
        classifier, *splits, training, data_card.image_shape, before.state if before else None
    )
    for report in paced(taker.watched(reports), training.report_seconds):
        state, origin = report.state(), before.weights_of if before else None
        looks = typical_images(train_sequences, data_card) if state.ended and data_card.kind == "images" else {}
        checkpoint = Checkpoint(
            model, sequence, data_card.profile, fields, state, training.keep, program, origin, typical=looks
        )
        snapshots = Snapshots(checkpoint.fingerprint, {**taker.weights})
        yield {"checkpoint": checkpoint, "history": pd.DataFrame(report.history), "snapshots": snapshots}


def typical_images(train: SequenceSplit, card: DataCard) -> dict[str, torch.Tensor]:
    """What the training images look like, by which `predict` doubts others; empty if they are too small or too few."""
    chosen = sample(len(train))
    images = to_images(train.sequences[chosen], train.pixel_order, *card.image_shape)
    found = Typical.of(ink_of(images, card), train.labels[chosen], len(card.class_names))
    return {name: torch.from_numpy(array) for name, array in found.arrays().items()} if found else {}


def engine_of(training: TrainingParameters) -> Callable[..., Iterator[Report]]:
    """The function that trains: in this process, or on workers of a Ray cluster.

    Raises:
        UserError: if Ray is requested and not installed.
    """
    if training.engine == "local":
        return fit
    expect_ray("training.engine 'ray'")
    from mnist_lstm.cluster import training as on_cluster

    return on_cluster.fit


def export(checkpoint: Checkpoint, valid_images: ImageSplit) -> ExportedModel:
    """Exports a classifier of raw input; it includes scaling and sequence view, so callers cannot get them wrong."""
    examples = valid_images.images[:EXAMPLES].copy()
    return ExportedModel(ImageClassifier(checkpoint.classifier(), checkpoint.pixel_order()), examples)
