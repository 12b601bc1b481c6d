"""A data set of any form as three splits of grey images: what was decided on the way is said in three lines."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mnist_lstm.core.data import series
from mnist_lstm.core.data.choose_split import three_parts, validation
from mnist_lstm.core.data.labels import Labels, mapped
from mnist_lstm.core.data.pixels import grey_values, inverted, oriented
from mnist_lstm.core.data.preparation import AS_MNIST, Preparation, border_grey
from mnist_lstm.core.data.splits import ImageSplit, Splits, data_card, expect_one_size
from mnist_lstm.data_parameters import DataParameters
from mnist_lstm.datasets import forms
from mnist_lstm.datasets.forms.raw import RawData, RawSplit
from mnist_lstm.errors import UserError

# Training images of each split, Cohen et al. 2017, arXiv:1702.05373; that of MNIST's digits is as large as MNIST
EMNIST = {697_932: "byclass", 112_800: "balanced", 124_800: "letters", 88_800: "letters", 240_000: "digits"}
DARK, LIGHT = 64, 191  # grey of the border: at most, of paper under light ink; at least, of paper under dark ink


class Named(NamedTuple):
    """What a source says of itself."""

    name: str  # in parameters
    title: str  # in reports
    place: str  # of its files, for messages
    class_names: list[str] | None = None  # of labels 0 to K - 1; None: found in the files
    validation_images: int | None = None  # how many of the first training images validate; None: a twelfth


def read(data: DataParameters) -> Splits:
    """The data set at the parameter `data.path`.

    Raises:
        UserError: if it has no known form, is damaged, or leaves something open that a parameter decides.
    """
    path = Path(data.path or "").expanduser()
    raw = forms.read(path, data)
    return assembled(raw, data, Named(data.source, data.source, str(path)), dict(raw.files) or hashes_of(path))


def assembled(raw: RawData, data: DataParameters, named: Named, hashes: dict[str, str]) -> Splits:
    """Labels mapped, pixels made grey, upright and light on dark, or series checked; and split."""
    raw_parts, notes = _labelled(raw, named.place)
    labels = _labels(raw, raw_parts, named)
    found = {split: part.images for split, part in raw_parts.items()}
    for held in (raw.parts, raw_parts):
        held.clear()  # so that what is converted below frees its memory, split by split
    kind = "series" if series.are_series(found, raw.kind or data.kind, named.place) else "images"
    arrays = _series(found, data, named.place) if kind == "series" else _images(found, raw, data, named.place)
    parts = {split: ImageSplit(arrays.parts.pop(split), of_split) for split, of_split in labels.parts.items()}
    expect_one_size(parts, named.place)
    parts, shares = _split(parts, data, named)
    card = data_card(named.name, named.title, parts, labels.class_names, hashes, arrays.declared, kind)
    decided = ["; ".join([raw.form, arrays.size, *notes]), labels.sentence, f"{shares}; {arrays.decided}"]
    return Splits(**parts, card=replace(card, decided=decided, given=data.given))


class Arrays(NamedTuple):
    """Images or series as the network reads them."""

    parts: dict[str, Any]  # by split
    size: str  # their number and size, and what was done to their values
    decided: str  # what else was decided
    declared: Preparation = AS_MNIST  # how the source's pictures became these images


def _series(found: dict[str, Any], data: DataParameters, place: str) -> Arrays:
    for key in ("size", "transposed", "dark_on_light", "brightest"):
        if getattr(data, key) is not None:
            raise UserError(f"data.{key} must be left out for series, which {place} holds: it is for images.")
    parts = series.checked(found, place)
    return Arrays(parts, series.sentence(parts), "scaled by mean and deviation of each feature in training")


def _images(found: dict[str, Any], raw: RawData, data: DataParameters, place: str) -> Arrays:
    count = sum(map(len, found.values()))
    images, changed = grey_values(found, place, data.brightest)
    found.clear()
    transposed = raw.transposed if data.transposed is None else data.transposed
    if transposed is None and not raw.whole:  # whole pictures are shown as they are
        expect_not_emnist(images["train"].shape, place)
    dark = data.dark_on_light if data.dark_on_light is not None else raw.dark_on_light
    dark = _is_dark_on_light(images, place) if dark is None else dark
    for split in tuple(images):
        images[split] = oriented(images.pop(split), bool(transposed))
        images[split] = inverted(images[split], place) if dark else images[split]
    _, height, width = images["train"].shape
    assumed = ", as is assumed (data.transposed)" if transposed is None and not raw.whole else ""
    way_up = "rows and columns swapped (data.transposed)" if transposed else f"upright{assumed}"
    ink = "dark ink on light, inverted (data.dark_on_light)" if dark else "light ink on dark"
    return Arrays(
        images,
        "; ".join([f"{count:,} images of {height} x {width}", *filter(None, [changed])]),
        f"{way_up}; {ink}",
        Preparation(whole=raw.whole, dark_on_light=dark, transposed=bool(transposed)),
    )


def expect_not_emnist(shape: tuple[int, ...], place: str) -> None:
    """Checks that images of unknown origin are not as many as EMNIST's, which are transposed: pixels cannot say it."""
    if shape[1:] == (28, 28) and (subset := EMNIST.get(shape[0])):
        raise UserError(
            f"{place} must say which way up its images are, as it has as many to train ({shape[0]:,}) as EMNIST's "
            f"{subset}, whose rows and columns are swapped; pass --params data.transposed=true, or false if they are "
            "upright."
        )


def hashes_of(path: Path) -> dict[str, str]:
    """SHA-256 of a file, or of each file in a folder that is of a known form."""
    files = [file for file in forms.files_below(path) if path.is_file() or forms.recognised(file)]
    top = path.parent if path.is_file() else path
    return {file.relative_to(top).as_posix(): sha256(file) for file in files}


def sha256(file: Path) -> str:
    """Of a file's content."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _labelled(raw: RawData, place: str) -> tuple[dict[str, RawSplit], list[str]]:
    """The parts that have labels, training first, and the notes."""
    if "train" not in raw.parts:
        raise UserError(
            f"{place} must hold training data, found those to {', '.join(raw.parts) or 'nothing'} alone; name the "
            f"training file, or predict these: --pipelines predict --params predict.folder={place}."
        )
    notes = list(raw.notes)
    parts = {
        split: part._replace(labels=np.ravel(part.labels))  # HDF5 and npz may have them in a column
        for split, part in raw.parts.items()
        if part.labels is not None
    }
    if "train" not in parts:
        raise UserError(
            f"{place} must hold labels, found pixels alone; name their column (--params data.label_column=NAME), or "
            f"predict it: --pipelines predict --params predict.folder={place}."
        )
    if len(parts) < len(raw.parts):
        notes.append("the test file has no labels and is left for predict")
    for split, part in parts.items():  # before pixels are looked at, as files that do not fit have any
        if len(part.images) != len(part.labels):
            raise UserError(
                f"{place} ({split}) must have a label for each image, found {len(part.images)} images and "
                f"{len(part.labels)} labels."
            )
    return parts, notes


def _labels(raw: RawData, parts: dict[str, RawSplit], named: Named) -> Labels:
    """Labels from 0 to K - 1; they are mapped unless the source has names for them."""
    plain = {split: part.labels for split, part in parts.items()}
    names = named.class_names
    if names is None:
        return mapped(plain, raw.class_names, named.place)
    every = np.concatenate([np.unique(labels) for labels in plain.values()]).astype(np.int64)
    if (every.min(), every.max()) == (1, len(names)):  # EMNIST letters
        return mapped(plain, dict(enumerate(names, start=1)), named.place)
    if wrong := every[(every < 0) | (every >= len(names))].tolist():
        raise UserError(f"{named.place} must have labels from 0 to {len(names) - 1}, found {wrong[-1]}.")
    return Labels(
        {split: np.asarray(labels).astype(np.uint8) for split, labels in plain.items()},
        names,
        f"{len(names)} classes, labels 0 to {len(names) - 1}",
    )


def _is_dark_on_light(parts: dict[str, Any], place: str) -> bool:
    borders = {split: border_grey(images) for split, images in parts.items()}
    border = borders["train"]
    if min(borders.values()) <= DARK and max(borders.values()) >= LIGHT:
        found = ", ".join(f"{grey:.0f} in {split}" for split, grey in borders.items())
        raise UserError(
            f"{place} must have light or dark paper in all splits, found borders of {found}; invert one of them, or "
            "pass --params data.dark_on_light=false where they are right."
        )
    if DARK < border < LIGHT:
        raise UserError(
            f"{place} must say whether its ink is dark, as its borders are grey ({border:.0f} of 255): pass --params "
            "data.dark_on_light=true, or false for light ink on dark and for photos."
        )
    return border >= LIGHT


def _split(parts: dict[str, ImageSplit], data: DataParameters, named: Named) -> tuple[dict[str, ImageSplit], str]:
    if named.validation_images is None:
        return three_parts(parts, data.split, named.place, data.split_seed)
    valid, train, origin = validation(parts["train"], named.validation_images, "auto", named.place, data.split_seed)
    found = {"train": train, "valid": valid, "test": parts["test"]}
    return found, f"{len(train):,} to train, {len(valid):,} to validate ({origin}), {len(parts['test']):,} to test"
