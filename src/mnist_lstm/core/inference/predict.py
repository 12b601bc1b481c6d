"""Classifies a user's pictures in batches, so that memory use does not grow with their number."""

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mnist_lstm.core.data.data_card import DataProfile
from mnist_lstm.core.data.sequences import to_sequences
from mnist_lstm.core.data.series import padded
from mnist_lstm.core.evaluation.metrics import log_probabilities
from mnist_lstm.core.inference.decode import BLACK, WHITE, PictureError, decode
from mnist_lstm.core.inference.doubt import DIGITS, doubt, ink_of
from mnist_lstm.core.inference.preprocess import prepare
from mnist_lstm.core.inference.typical import Typical
from mnist_lstm.core.training.checkpoint import Checkpoint

IMAGES = 1000  # per forward pass
DECIMALS = 6  # of a probability in the table
FORMULA = ("=", "+", "-", "@")  # what a spreadsheet's formula begins with

# The bytes of a picture file, a decoded image uint8 (height, width), a series float32 (steps, features), or the reason
# why none exists
Content = bytes | NDArray[Any] | PictureError


class Open(Protocol):
    """Opens what a user names."""

    def __call__(self, named: str | None, kind: str = "images") -> Iterator[tuple[str, Content]]:
        """Yields names and contents of what a folder or file holds for a model of "images" or "series"."""
        ...


class PreprocessedPicture(NamedTuple):
    """The image that the network reads, or the reason why the picture was skipped."""

    name: str  # of the file
    image: NDArray[Any]  # uint8 (height, width), or float32 (T, F) of a series; blank if the picture was skipped
    skipped: str  # the reason; empty if the picture was not skipped


def preprocess_each(pictures: Iterable[tuple[str, Content]], data: DataProfile) -> Iterator[PreprocessedPicture]:
    """Prepares each picture as the images of the data set were; arrays of their size are read as its source was."""
    blank = np.zeros(data.image_shape, np.uint8 if data.kind == "images" else np.float32)
    for name, content in pictures:
        try:
            if isinstance(content, PictureError):
                raise content
            image = _image(content, data) if data.kind == "images" else _series(content, data)
            yield PreprocessedPicture(printable(name), image, "")
        except PictureError as error:
            yield PreprocessedPicture(printable(name), blank, str(error))


def _image(content: bytes | NDArray[Any], data: DataProfile) -> NDArray[np.uint8]:
    source = data.preparation
    if isinstance(content, bytes):
        paper = WHITE if source.dark_on_light else BLACK
        return prepare(decode(content, paper if source.whole else None), data)
    upright = content.T if source.transposed else content
    if upright.shape != data.image_shape:
        return prepare(upright, data)
    return WHITE - upright if source.dark_on_light else upright


def _series(content: bytes | NDArray[Any], data: DataProfile) -> NDArray[np.float32]:
    """The series with nan up to the steps of the longest one in training."""
    steps, features = data.image_shape
    if isinstance(content, bytes):
        raise PictureError("no file of series (npz, .ts, .tsv), which the model reads")
    if len(content) > steps or content.shape[1] != features:
        raise PictureError(f"{len(content)} x {content.shape[1]}: must be at most {steps} steps of {features} features")
    complete: NDArray[np.float32] = padded(content[None], steps)[0]
    return complete


def printable(name: str) -> str:
    """The name of a file as text for tables and figures.

    Bytes that are not UTF-8 and characters that cannot be printed become escapes. A name that a spreadsheet would take
    for a formula begins with "./".
    """
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    shown = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
    return f"./{shown}" if shown.startswith(FORMULA) else shown


def as_text(class_name: str) -> str:
    """The name of a class for a table, with an apostrophe before what a spreadsheet would take for a formula."""
    formula = class_name.startswith(FORMULA) and not re.fullmatch(r"[+-]?[\d.]+", class_name)
    return f"'{class_name}" if formula else class_name


def predict_tables(pictures: Iterable[tuple[str, Content]], checkpoint: Checkpoint) -> Iterator[pd.DataFrame]:
    """Yields a table of predictions for every 1,000 pictures, one row per picture in their order.

    Columns: file; digit, or class where the classes are no digits; probability, that of the answer; second_guess;
    doubt, the reason to doubt the answer; p_<class>, the probability of each class; skipped, the reason if the picture
    was skipped, in which case all columns between are empty; model, which answered.
    """
    pixel_order = checkpoint.pixel_order()
    preprocessed = preprocess_each(pictures, checkpoint.data)
    typical = Typical.stored(checkpoint.typical)
    while part := list(itertools.islice(preprocessed, IMAGES)):
        images = np.stack([each.image for each in part])
        logits = checkpoint.logits(to_sequences(images, pixel_order), IMAGES)
        unlike = np.zeros(len(part), bool)
        if typical:
            unlike = typical.unlike(ink_of(images, checkpoint.data), logits.argmax(axis=1))
        yield _table(part, logits, unlike, checkpoint)


def model_name(checkpoint: Checkpoint) -> str:
    """The model for people, and its fingerprint: "lstm128 rows s1 on MNIST (0123456789abcdef)"."""
    return f"{checkpoint.label} on {checkpoint.data.title} ({checkpoint.fingerprint})"


def _table(
    part: list[PreprocessedPicture], logits: NDArray[np.float32], unlike: NDArray[np.bool_], checkpoint: Checkpoint
) -> pd.DataFrame:
    data, probabilities = checkpoint.data, np.exp(log_probabilities(logits))
    second, first = np.argsort(logits, axis=1, kind="stable")[:, -2:].T
    named = np.array([as_text(name) for name in data.class_names], dtype=object)
    rounded = probabilities.round(DECIMALS)
    table = pd.DataFrame(
        {
            "file": [each.name for each in part],
            "digit" if data.class_names == DIGITS else "class": named[first],
            "probability": rounded.max(axis=1),
            "second_guess": named[second],
            "doubt": [doubt(part[at].image, row, data, unlike[at]) for at, row in enumerate(probabilities)],
            **{f"p_{name}": column for name, column in zip(data.class_names, rounded.T, strict=True)},
            "skipped": [each.skipped for each in part],
            "model": model_name(checkpoint),
        }
    )
    if any(each.skipped for each in part):
        table.loc[table["skipped"] != "", table.columns[1:-2]] = None
    return table
