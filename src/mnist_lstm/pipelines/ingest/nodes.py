"""Reads the data set named in the parameters."""

import logging
from dataclasses import replace

from mnist_lstm.core.data.bundled_digits import bundled_digits
from mnist_lstm.core.data.splits import SourceOf, Splits
from mnist_lstm.core.data.suspect import warnings_about
from mnist_lstm.data_parameters import DataParameters
from mnist_lstm.errors import UnreachableError

LIGHT_PAPER = (
    "The images of %s have light borders, like dark ink on light paper; augmentation, figures and `serve` take 0 for "
    "paper. If the borders are paper, set `dark_on_light: true` for this source."
)
USES = {"train": "train", "valid": "validate", "test": "test"}

logger = logging.getLogger(__name__)


def ingest(image_sources: SourceOf, data: DataParameters) -> Splits:
    """Reads, checks and splits the images and labels of the source `data.name`, or of the file or folder `data.path`.

    Missing files of a source are downloaded from its mirrors. If no mirror answers and `data.on_unreachable` allows
    it, the digits bundled with scikit-learn are used instead; the data card says so in every report.
    """
    read = image_sources(data)
    try:
        splits = read(data)
    except UnreachableError as error:
        usual = data.name == "mnist" and data.mirror is None  # where `auto` lets the bundled digits stand in
        if data.on_unreachable == "fail" or (data.on_unreachable == "auto" and not usual):
            raise
        splits = bundled_digits()
        splits = splits._replace(card=replace(splits.card, requested=data.name))
        logger.warning("%s This run is on the %s.", error, splits.card.title)
    if splits.card.preparation.paper:
        logger.warning(LIGHT_PAPER, splits.card.title)
    for sentence in warnings_about(splits) if data.path else ():
        logger.warning(sentence)
    counts = ", ".join(f"{splits.card.images[part]:,} to {use}" for part, use in USES.items())
    first, *others = splits.card.decided or [f"images: {counts}"]
    for line in (f"{splits.card.title}; {first}", *others):
        logger.info("Data: %s", line)
    return splits
