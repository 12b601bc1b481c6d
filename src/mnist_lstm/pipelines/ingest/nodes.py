"""Reads the data set named in the parameters."""

import logging
from collections.abc import Mapping
from dataclasses import replace

from mnist_lstm.core.data.bundled_digits import bundled_digits
from mnist_lstm.core.data.splits import Source, Splits
from mnist_lstm.errors import UnreachableError
from mnist_lstm.parameters import DataParameters

LIGHT_PAPER = (
    "The images of %s have light borders, like dark ink on light paper; augmentation, figures and `serve` take 0 for "
    "paper. If the borders are paper, set `dark_on_light: true` for this source."
)
USES = {"train": "train", "valid": "validate", "test": "test"}

logger = logging.getLogger(__name__)


def ingest(image_sources: Mapping[str, Source], data: DataParameters) -> Splits:
    """Reads, checks and splits the images and labels of the data set `data.name`.

    Missing files are downloaded from the mirrors. If no mirror answers and `data.on_unreachable` allows it, the digits
    bundled with scikit-learn are used instead; the data card says so in every report.
    """
    read = image_sources[data.name]
    try:
        splits = read(data.mirror, data.timeout)
    except UnreachableError as error:
        if data.on_unreachable == "fail":
            raise
        splits = bundled_digits()
        splits = splits._replace(card=replace(splits.card, requested=data.name))
        logger.warning("%s This run is on the %s.", error, splits.card.title)
    if splits.card.preparation.paper:
        logger.warning(LIGHT_PAPER, splits.card.title)
    counts = ", ".join(f"{splits.card.images[part]:,} to {use}" for part, use in USES.items())
    logger.info("Data: %s; images: %s", splits.card.title, counts)
    return splits
