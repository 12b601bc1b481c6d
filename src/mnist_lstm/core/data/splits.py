"""The training, validation and test images, and the card that says which they are."""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.data.file_backed import after, before, blocks
from mnist_lstm.errors import UserError

Arrays = dict[str, Any]  # numpy's by name; pixels that are larger than memory are a FileBackedArray


class Splits(NamedTuple):
    """A data set in its three parts.

    Each part holds "images", uint8 (N, height, width) with 0 for paper and 255 for ink, and "labels", uint8 (N,)
    below K. `card` says what the data are, so that every number made from them can say so too.
    """

    train: Arrays
    valid: Arrays
    test: Arrays
    card: dict[str, Any]


# Reads a data set, given a mirror to ask first (a URL or None) and the seconds that a mirror may stay silent.
Source = Callable[[str | None, float], Splits]


def images_and_labels(images: NDArray[np.uint8], labels: NDArray[np.uint8], classes: int, name: str) -> Arrays:
    """One part of a data set, checked.

    Raises:
        UserError: if there are no images, not one label for each, or a label outside 0 to classes - 1.
    """
    if images.ndim != 3 or labels.ndim != 1:
        raise UserError(
            f"{name} must be images (N, height, width) and labels (N,), found shapes {images.shape} and {labels.shape}."
        )
    if len(images) != len(labels):
        raise UserError(
            f"{name} must have a label for each image, found {len(images)} images and {len(labels)} labels."
        )
    if images.size == 0:
        raise UserError(f"{name} holds no images, found shape {images.shape}.")
    if labels.max() >= classes:
        raise UserError(f"{name} must have labels from 0 to {classes - 1}, found {labels.max()}.")
    return {"images": images, "labels": labels}


def expect_one_size(parts: dict[str, Arrays], name: str) -> None:
    """Checks that the images of all parts have one height and width.

    Raises:
        UserError: naming each part's.
    """
    sizes = {split: part["images"].shape[1:] for split, part in parts.items()}
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{size} in {split}" for split, size in sizes.items())
        raise UserError(f"{name} must hold images of one height and width, found {found}.")


def first_images(part: Arrays, count: int, name: str) -> tuple[Arrays, Arrays]:
    """The first `count` images, and the others: how TensorFlow's `input_data` set validation images aside.

    Raises:
        UserError: if nothing would be left for training.
    """
    if not 0 < count < len(part["images"]):
        raise UserError(
            f"{name} must leave images for training: validation_images is {count} of {len(part['images'])}."
        )
    first = {key: before(array, count) for key, array in part.items()}
    return first, {key: after(array, count) for key, array in part.items()}


def stratified(part: Arrays, fractions: tuple[float, float], seed: int, name: str) -> tuple[Arrays, Arrays, Arrays]:
    """The images in three parts with the classes in equal shares; `fractions` are of the second and the third.

    Raises:
        UserError: if a class of `name` has too few images for that.
    """
    second, third = fractions
    rest, last = _drawn(part, np.arange(len(part["labels"])), third, seed, name)
    first, middle = _drawn(part, rest, second / (1 - third), seed, name)
    return _chosen(part, first), _chosen(part, middle), _chosen(part, last)


def stratified_pair(part: Arrays, fraction: float, seed: int, name: str) -> tuple[Arrays, Arrays]:
    """The images in two parts with the classes in equal shares; `fraction` is of the second.

    Raises:
        UserError: if a class of `name` has too few images for that.
    """
    first, second = _drawn(part, np.arange(len(part["labels"])), fraction, seed, name)
    return _chosen(part, first), _chosen(part, second)


def _drawn(part: Arrays, positions: NDArray[np.int64], fraction: float, seed: int, name: str) -> Any:
    from sklearn.model_selection import train_test_split

    labels = part["labels"][positions]
    try:
        return train_test_split(positions, test_size=fraction, random_state=seed, stratify=labels)
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{name} must hold images enough to set {fraction:.3g} of each class aside: {reason}") from None


def _chosen(part: Arrays, positions: NDArray[np.int64]) -> Arrays:
    return {key: array[np.sort(positions)] for key, array in part.items()}


def digest(part: Arrays) -> str:
    """SHA-256 over name, dtype, shape and bytes of each array: what a fingerprint knows data by."""
    sha = hashlib.sha256()
    for key in sorted(part):
        array = part[key]
        sha.update(f"{key} {array.dtype.str} {array.shape}\n".encode())
        for block in blocks(array):
            sha.update(block.data)
    return sha.hexdigest()


def data_card(
    name: str, title: str, parts: dict[str, Arrays], class_names: list[str], files: dict[str, str]
) -> dict[str, Any]:
    """What a report says of its data.

    Args:
        name, title: the short name and the one for people.
        parts: "train", "valid" and "test".
        class_names: of label 0 to K - 1.
        files: SHA-256 of each file that was read.
    """
    _, height, width = parts["train"]["images"].shape
    return {
        "name": name,
        "title": title,
        "requested": name,
        "height": height,
        "width": width,
        "class_names": class_names,
        "images": {split: len(part["images"]) for split, part in parts.items()},
        "sha256": {split: digest(part) for split, part in parts.items()},
        "files": files,
    }
