"""Classifies a user's pictures."""

import itertools
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from mnist_lstm.core.inference.predict import Open, model_name, predict_tables, preprocess_each
from mnist_lstm.core.plots.contact_sheet import contact_sheet
from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import PredictParameters

SHOWN = 60  # pictures on the contact sheet
LISTED = 10  # first answers in the log, and as many in doubt
PROGRESS_EVERY = 10_000  # pictures between two log lines

logger = logging.getLogger(__name__)


def predict_pictures(
    models: Callable[[str], Checkpoint], pictures: Open, predict: PredictParameters
) -> Iterator[pd.DataFrame]:
    """Classifies each picture of a folder, preprocessed like the training images of the model.

    Yields tables of 1,000 rows. The dataset saves them one by one, so memory use does not grow with the folder.
    """
    pictures(predict.folder)  # first, as without pictures no model is needed
    checkpoint = models(predict.model)
    logger.info("Model: %s", model_name(checkpoint))
    things = "pictures" if checkpoint.data.kind == "images" else "series"
    return _with_progress(predict_tables(pictures(predict.folder, checkpoint.data.kind), checkpoint), things)


def make_submission(predicted_digits: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Writes the predictions in the form that Kaggle takes: ImageId, counted from 1, and Label."""
    return _submitted(predicted_digits)  # Kedro would save each part of a generator node as a file of its own


def _submitted(predicted_digits: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    first = 1
    for part in predicted_digits:
        yield pd.DataFrame({"ImageId": range(first, first + len(part)), "Label": part.iloc[:, 1]})
        first += len(part)


def _with_progress(parts: Iterator[pd.DataFrame], things: str) -> Iterator[pd.DataFrame]:
    """Yields the tables; logs the first answers and the doubtful ones, and the number of things from time to time.

    Raises:
        UserError: if none could be answered.
    """
    seen = skipped = doubtful = 0
    why = ""
    for part in parts:
        first = part.index < LISTED - seen
        doubted = ((part["doubt"].fillna("") != "") | (part["skipped"] != "")).to_numpy()
        listed = doubted & ~first & (doubtful + doubted.cumsum() <= LISTED)
        for _, row in part[first | listed].iterrows():
            logger.info("%s", _line(row))
        why = why or _line(part.iloc[0])
        seen += len(part)
        doubtful += int(doubted.sum())
        skipped += int((part["skipped"] != "").sum())
        if seen % PROGRESS_EVERY == 0:
            logger.info("%d %s", seen, things)
        yield part
    counts = (seen, things, seen - skipped, doubtful - skipped, skipped)
    logger.info("%d %s: %d answered, %d of these in doubt; %d skipped", *counts)
    if skipped == seen:
        raise UserError(f"predict.folder must hold {things} that can be answered, found none in {seen}; {why}")


def _line(row: pd.Series) -> str:
    """A row of the table in a line: "four.png: 4 (0.9812)"."""
    if row["skipped"]:
        return f"{row['file']}: skipped, {row['skipped']}"
    return f"{row['file']}: {row.iloc[1]} ({row['probability']:.4f})" + (row["doubt"] and f", in doubt: {row['doubt']}")


def draw_pictures(
    predicted_digits: Iterator[pd.DataFrame],
    models: Callable[[str], Checkpoint],
    pictures: Open,
    predict: PredictParameters,
) -> Any:
    """Draws a contact sheet of the first pictures as the network reads them, with the predictions."""
    checkpoint = models(predict.model)
    contents = pictures(predict.folder, checkpoint.data.kind)
    first = itertools.islice(preprocess_each(contents, checkpoint.data), SHOWN)
    shown = [each._replace(image=checkpoint.drawn(each.image)) for each in first]
    return contact_sheet(shown, next(predicted_digits), model_name(checkpoint))
