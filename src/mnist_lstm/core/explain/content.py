"""What the page holds of a run: the network's weights, test images, the curves, and the snapshots of its training."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.data.data_card import DataProfile
from mnist_lstm.core.data.file_backed import Array
from mnist_lstm.core.data.sequences import step_word
from mnist_lstm.core.evaluation import metrics
from mnist_lstm.core.evaluation.examples import most_confident_mistakes
from mnist_lstm.core.evaluation.metrics import Predictions
from mnist_lstm.core.inference import doubt, typical
from mnist_lstm.core.inference.lines import SPECK
from mnist_lstm.core.inference.preprocess import frame_of
from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.core.training.snapshots import Snapshots, flat

VERSION = 2  # of the content; a recorded page of another version cannot be written anew from its own content
IMAGES = 200  # test images: the first ones
MISTAKES = 4  # the surest ones, after those
MOST_PIXELS = 160_000  # of all images together
LARGEST = 1_300_000  # bytes of float32 weights; larger networks have float16
POINTS = 400  # of the learning curves

Content = dict[str, Any]  # as JSON has it


def content(
    checkpoint: Checkpoint,
    snapshots: Snapshots,
    sequences: Array,
    tested: Predictions | None,
    by_step: Mapping[str, Any] | None,
) -> Content:
    """The content of the page.

    Args:
        snapshots: of its training; those of another training are left out.
        sequences: the test images, uint8 (N, T, F), of which some are shown.
        tested: their logits and labels; None where the run did not evaluate.
        by_step: columns step, accuracy and decided of the test; None likewise.
    """
    shown, first = _shown(len(sequences), checkpoint, tested)
    images = checkpoint.pictures(sequences[shown])
    source = checkpoint.data.preparation
    labels = tested.labels[shown].tolist() if tested else []
    return {
        "version": VERSION,
        "about": _about(checkpoint, tested),
        "network": network(checkpoint),
        "frame": frame_of(checkpoint.data)._asdict() | {"paper": source.paper, "whole": source.whole},
        "rules": rules(checkpoint.data),
        "typical": typical_images(checkpoint),
        "steps": checkpoint.pixel_order().shape[0],
        "images": {"count": len(shown), "first": first, "labels": labels, "data": _text(images)},
        "history": _thinned(checkpoint.state.history),
        "snapshots": _snapshots(checkpoint, snapshots),
        "by_step": {name: np.asarray(by_step[name]).tolist() for name in ("step", "accuracy")} if by_step else None,
    }


def rules(data: DataProfile) -> Content:
    """The constants of the rules that prepare a drawing and doubt it."""
    side = data.preparation.fill * min(data.image_shape)
    named = ("EDGE", "HARDLY", "FULL", "WIDE", "PART", "FAR", "BESIDE", "BELOW", "HOLE", "HOLES", "LOW", "DIVIDED")
    constants: Content = {name.lower(): getattr(doubt, name) for name in named}
    shapes = data.class_names == doubt.DIGITS and side >= doubt.COARSE
    return constants | {"speck": SPECK, "side": side, "shapes": shapes}


def typical_images(checkpoint: Checkpoint) -> Content | None:
    """What the training images look like, and the constants of `typical.py`; None where the run does not know."""
    known = typical.Typical.stored(checkpoint.typical)
    if not known:
        return None
    named = ("PLACES", "SPREAD", "DIRECTIONS", "POWER", "LINES", "NARROW", "STRONG", "LOOPS")
    constants = {name.lower(): getattr(typical, name) for name in named}
    arrays = {name: array.astype(array.dtype.newbyteorder("<")) for name, array in known.arrays().items()}
    return {name: _text(array) for name, array in arrays.items()} | {"rules": constants}


def network(checkpoint: Checkpoint) -> Content:
    """Sizes, pixel order and weights of the classifier."""
    order, model, weights = checkpoint.pixel_order(), checkpoint.model, flat(checkpoint.classifier().state_dict())
    half = weights.nbytes > LARGEST
    return {
        "label": checkpoint.label,
        "cell": model.cell,
        "hidden": model.hidden_size,
        "layers": model.num_layers,
        "directions": 2 if model.bidirectional else 1,
        "pooling": model.pooling,
        "forget_bias": model.forget_bias,
        "features": order.shape[1],
        "classes": len(checkpoint.data.class_names),
        "order": _text(order.astype("<u4")),
        "parameters": len(weights),
        "half": half,
        "weights": _text(weights.astype("<f2" if half else "<f4")),
    }


def _shown(count: int, checkpoint: Checkpoint, tested: Predictions | None) -> tuple[NDArray[np.int64], int]:
    """Positions of the images that the page shows: the first ones, then the surest mistakes; and how many are first."""
    height, width = checkpoint.data.image_shape
    first = min(count, IMAGES, max(1, MOST_PIXELS // (height * width)))
    wrong = most_confident_mistakes(tested.logits, tested.labels, 2 * MISTAKES) if tested else np.empty(0, np.int64)
    return np.concatenate([np.arange(first), wrong[wrong >= first][:MISTAKES]]).astype(np.int64), first


def _about(checkpoint: Checkpoint, tested: Predictions | None) -> Content:
    """What the page says about the run."""
    data, step, fields = checkpoint.data, step_word(checkpoint.sequence.view), checkpoint.fingerprint_fields
    return {
        "title": f"{checkpoint.label} on {data.title}",
        "data": data.title,
        "names": data.class_names,
        "digits": all(name.isdigit() for name in data.class_names),
        "height": data.height,
        "width": data.width,
        "view": checkpoint.sequence.view,
        "step": step.one,
        "steps": step.many,
        "updates": checkpoint.state.iteration,
        "batch": fields.get("training.batch_size"),
        "accuracy": metrics.accuracy(tested.logits, tested.labels) if tested else None,
        "tested": len(tested.labels) if tested else 0,
    }


def _snapshots(checkpoint: Checkpoint, snapshots: Snapshots) -> list[Content]:
    """The snapshots of this training."""
    if snapshots.fingerprint != checkpoint.fingerprint:
        return []
    return [{"update": update, "weights": _text(each)} for update, each in snapshots.weights.items()]


def _thinned(history: list[dict[str, float]]) -> dict[str, list[float | None]]:
    """Columns of the learning curves, with all validated rows and some of the others; None for nan."""
    apart = -(-len(history) // POINTS) or 1
    rows = [row for at, row in enumerate(history) if at % apart == 0 or row["valid_loss"] == row["valid_loss"]]
    names = ("iteration", "train_loss", "train_accuracy", "valid_loss", "valid_accuracy")
    return {name: [round(row[name], 5) if row[name] == row[name] else None for row in rows] for name in names}


def _text(array: NDArray[Any]) -> str:
    return base64.b64encode(array.tobytes()).decode()
