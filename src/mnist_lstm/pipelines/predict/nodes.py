"""Classifies a user's pictures."""

import itertools
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from mnist_lstm.core import plots
from mnist_lstm.core.inference.predict import Open, predict_tables, preprocess_each
from mnist_lstm.core.inference.preprocess import frame_of
from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.parameters import PredictParameters

SHOWN = 60  # pictures on the contact sheet
PROGRESS_EVERY = 10_000  # pictures between two log lines

logger = logging.getLogger(__name__)


def predict_pictures(
    models: Callable[[str], Checkpoint], pictures: Open, predict: PredictParameters
) -> Iterator[pd.DataFrame]:
    """Classifies each picture of a folder, preprocessed like the training images of the model.

    Yields tables of 1,000 rows. The dataset saves them one by one, so memory use does not grow with the folder.
    """
    return _with_progress(predict_tables(pictures(predict.folder), models(predict.model)))


def _with_progress(parts: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Yields the tables and logs the number of pictures from time to time and at the end."""
    pictures = skipped = 0
    for part in parts:
        pictures += len(part)
        skipped += int((part["skipped"] != "").sum())
        if pictures % PROGRESS_EVERY == 0:
            logger.info("%d pictures", pictures)
        yield part
    logger.info("%d pictures: %d answered, %d skipped", pictures, pictures - skipped, skipped)


def draw_pictures(
    predicted_digits: Iterator[pd.DataFrame],
    models: Callable[[str], Checkpoint],
    pictures: Open,
    predict: PredictParameters,
) -> Any:
    """Draws a contact sheet of the first pictures as the network reads them, with the predictions."""
    checkpoint = models(predict.model)
    shown = list(itertools.islice(preprocess_each(pictures(predict.folder), frame_of(checkpoint.data)), SHOWN))
    return plots.contact_sheet(shown, next(predicted_digits), f"{checkpoint.label} on {checkpoint.data.title}")
