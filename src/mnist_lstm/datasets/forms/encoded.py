"""Files of pictures as images to train on: from folders, or in the rows of a table."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from mnist_lstm.core.inference.decode import BLACK, WHITE, PictureError, decode
from mnist_lstm.core.inference.preprocess import stretched
from mnist_lstm.data_parameters import DataParameters
from mnist_lstm.errors import UserError

SHOWN = 50  # unreadable pictures that a message names


def pictures(files: Iterable[tuple[str, bytes]], data: DataParameters, broken: list[str]) -> tuple[Any, list[int]]:
    """The pictures, stretched to the size that is named, and their positions.

    Args:
        files: name, for messages, and content of each.
        broken: gets the names of those that cannot be read, with the reasons.

    Returns:
        uint8 (N, height, width), and the N positions in `files` of those that were read.

    Raises:
        UserError: if their sizes differ.
    """
    paper = None if data.dark_on_light is None else WHITE if data.dark_on_light else BLACK
    images: list[Any] = []
    kept = []
    for position, (name, content) in enumerate(files):
        try:
            images.append(stretched(decode(content, paper), data.height_and_width))
        except PictureError as error:
            broken.append(f"{name} ({error})")
            continue
        kept.append(position)
        if images[-1].shape != images[0].shape:
            raise UserError(
                f"{name} must have the size of the first picture, {images[0].shape}, found {images[-1].shape}; stretch "
                "all to one size: --params data.size=HEIGHTxWIDTH."
            )
    return np.stack(images) if images else np.empty((0, 1, 1), np.uint8), kept


def expect_readable(broken: list[str], place: Path, skip: bool) -> None:
    """Checks that all pictures could be read, unless they may be left out."""
    if broken and not skip:
        raise UserError(
            f"{place} must hold complete pictures, found {len(broken)} that are not: {_listed(broken)}; remove "
            "them, or leave them out: --params data.skip_unreadable=true."
        )


def skipped(broken: list[str]) -> tuple[str, ...]:
    """What is said of pictures that were left out."""
    return (f"{len(broken)} unreadable pictures skipped: {_listed(broken)}",) if broken else ()


def _listed(broken: list[str]) -> str:
    return ", ".join(broken[:SHOWN]) + (f" and {len(broken) - SHOWN} more" if len(broken) > SHOWN else "")
