"""Training the classifier, and exporting it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

from mnist_lstm.cluster import expect_ray
from mnist_lstm.core.data.sequences import expect_view
from mnist_lstm.core.data.splits import Arrays
from mnist_lstm.core.model.classifier import new_classifier
from mnist_lstm.core.model.export import ExportedModel, ImageClassifier
from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.core.training.fingerprint import training_fingerprint_fields
from mnist_lstm.core.training.loop import Report, fit, paced
from mnist_lstm.core.training.resume import starting_state
from mnist_lstm.parameters import ModelParameters, SequenceParameters, TrainingParameters

EXAMPLES = 2  # images; with one, torch.export would fix the batch size


def train(
    train_sequences: Arrays,
    valid_sequences: Arrays,
    data_card: dict[str, Any],
    interrupted: Mapping[str, Callable[[], Checkpoint]],
    sequence: SequenceParameters,
    model: ModelParameters,
    training: TrainingParameters,
) -> Iterator[tuple[Checkpoint, pd.DataFrame]]:
    """Trains the recurrent classifier, and yields checkpoint and curves every second or so while it does.

    Each yield is saved at once: a killed run loses no more than a second, and the curves can be watched.
    """
    size = (data_card["height"], data_card["width"])
    expect_view(train_sequences, sequence, *size)
    fields = training_fingerprint_fields(sequence, model, training, train_sequences, valid_sequences)
    training = training.model_copy(update={"precision": fields["training.precision"]})  # for workers elsewhere too
    state = starting_state(interrupted, fields, training.resume)
    shape = train_sequences["sequences"].shape[1:]
    classifier = new_classifier(model, shape, len(data_card["class_names"]), training.seed)
    about = {key: data_card[key] for key in ("name", "title", "height", "width", "class_names")}
    reports = engine_of(training)(classifier, train_sequences, valid_sequences, training, size, state)
    for report in paced(reports, training.report_seconds):
        checkpoint = Checkpoint(model, sequence, about, fields, report.state(), training.keep)
        yield checkpoint, pd.DataFrame(report.history)


def engine_of(training: TrainingParameters) -> Callable[..., Iterator[Report]]:
    """What trains: this process, or workers of a Ray cluster.

    Raises:
        UserError: if Ray is asked for and not installed.
    """
    if training.engine == "local":
        return fit
    expect_ray("training.engine 'ray'")
    from mnist_lstm.cluster import training as on_cluster

    return on_cluster.fit


def export(checkpoint: Checkpoint, valid_images: Arrays) -> ExportedModel:
    """Makes the classifier of raw images: scaling and sequence view are inside it, so nobody can feed it wrongly."""
    examples = valid_images["images"][:EXAMPLES].copy()
    return ExportedModel(ImageClassifier(checkpoint.classifier(), checkpoint.order()), examples)
