"""Classifies a user's pictures in batches, so that memory use does not grow with their number."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mnist_lstm.core.data.sequences import to_sequences
from mnist_lstm.core.evaluation.metrics import log_probabilities
from mnist_lstm.core.inference.decode import PictureError, decode
from mnist_lstm.core.inference.preprocess import Frame, frame_of, preprocess
from mnist_lstm.core.model.classifier import classify
from mnist_lstm.core.training.checkpoint import Checkpoint

IMAGES = 1000  # per forward pass
DECIMALS = 6  # of a probability in the table

# The bytes of a picture file, a decoded image uint8 (height, width), or the reason why neither exists
Content = bytes | NDArray[np.uint8] | PictureError
Open = Callable[[str | None], Iterator[tuple[str, Content]]]  # names and contents of the pictures in a folder


class PreprocessedPicture(NamedTuple):
    """The image that the network reads, or the reason why the picture was skipped.

    Attributes:
        name: of the file.
        image: uint8 (height, width), blank if the picture was skipped.
        skipped: the reason; empty if the picture was not skipped.
    """

    name: str
    image: NDArray[np.uint8]
    skipped: str


def preprocess_each(pictures: Iterable[tuple[str, Content]], frame: Frame) -> Iterator[PreprocessedPicture]:
    """Preprocesses each picture to the frame; arrays of that size are used unchanged."""
    blank = np.zeros((frame.height, frame.width), np.uint8)
    for name, content in pictures:
        try:
            yield PreprocessedPicture(name, _image(content, frame), "")
        except PictureError as error:
            yield PreprocessedPicture(name, blank, str(error))


def _image(content: Content, frame: Frame) -> NDArray[np.uint8]:
    if isinstance(content, PictureError):
        raise content
    if isinstance(content, bytes):
        return preprocess(decode(content), frame)
    return content if content.shape == (frame.height, frame.width) else preprocess(content, frame)


def predict_tables(pictures: Iterable[tuple[str, Content]], checkpoint: Checkpoint) -> Iterator[pd.DataFrame]:
    """Yields a table of predictions for every 1,000 pictures, one row per picture in their order.

    Columns: file; digit, the predicted class; probability, that of digit; second_guess; p_<class>, the probability of
    each class; skipped, the reason if the picture was skipped, in which case all columns between are empty.
    """
    classifier, pixel_order, names = checkpoint.classifier(), checkpoint.pixel_order(), checkpoint.data.class_names
    images = preprocess_each(pictures, frame_of(checkpoint.data))
    while part := list(itertools.islice(images, IMAGES)):
        sequences = to_sequences(np.stack([each.image for each in part]), pixel_order)
        yield _table(part, classify(classifier, sequences, IMAGES), names)


def _table(part: list[PreprocessedPicture], logits: NDArray[np.float32], class_names: list[str]) -> pd.DataFrame:
    probabilities = np.exp(log_probabilities(logits)).round(DECIMALS)
    second, first = np.argsort(logits, axis=1, kind="stable")[:, -2:].T
    named = np.array(class_names, dtype=object)
    table = pd.DataFrame(
        {
            "file": [each.name for each in part],
            "digit": named[first],
            "probability": probabilities.max(axis=1),
            "second_guess": named[second],
            **{f"p_{name}": column for name, column in zip(class_names, probabilities.T, strict=True)},
            "skipped": [each.skipped for each in part],
        }
    )
    if any(each.skipped for each in part):
        table.loc[table["skipped"] != "", table.columns[1:-1]] = None
    return table
