"""The training, validation and test images of a data set, and its data card."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.data.data_card import DataCard
from mnist_lstm.core.data.file_backed import Array, blocks
from mnist_lstm.core.data.preparation import AS_MNIST, Preparation, measured
from mnist_lstm.data_parameters import DataParameters
from mnist_lstm.errors import UserError


@dataclass(frozen=True, eq=False)
class ImageSplit:
    """Images, or series of numbers, of one split with their labels."""

    # uint8 (N, height, width), 0 for paper and 255 for ink; a `FileBackedArray` if larger than memory. Series are
    # float32 (N, steps, features), nan after the last step of each
    images: Any
    labels: NDArray[np.uint8]  # uint8 (N,), below K

    def __len__(self) -> int:
        return len(self.labels)

    def arrays(self) -> dict[str, Array]:
        """The arrays under their names in files and digests."""
        return {"images": self.images, "labels": self.labels}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> "ImageSplit":
        """The inverse of `arrays`."""
        return cls(arrays["images"], arrays["labels"])


class Splits(NamedTuple):
    """The three splits of a data set and its data card."""

    train: ImageSplit
    valid: ImageSplit
    test: ImageSplit
    card: DataCard


# Reads a data set, as the parameters of the block `data` say
Source = Callable[[DataParameters], Splits]
SourceOf = Callable[[DataParameters], Source]  # the one that the parameters name


def expect_one_size(parts: dict[str, ImageSplit], name: str) -> None:
    """Checks that the images of all parts have the same height and width."""
    sizes = {split: part.images.shape[1:] for split, part in parts.items()}
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{size} in {split}" for split, size in sizes.items())
        raise UserError(f"{name} must hold images of one height and width, found {found}.")


def stratified(part: ImageSplit, fractions: Sequence[float], seed: int, name: str) -> list[ImageSplit]:
    """Parts with equal class frequencies: the rest, and after it one of each of the `fractions` of all.

    Raises:
        UserError: if a class of `name` has too few images.
    """
    rest, undrawn, parts = np.arange(len(part)), 1.0, []
    for fraction in reversed(fractions):
        rest, drawn = _drawn(part, rest, fraction / undrawn, seed, name)
        undrawn -= fraction
        parts.append(_chosen(part, drawn))
    return [_chosen(part, rest), *reversed(parts)]


def _drawn(part: ImageSplit, positions: NDArray[np.int64], fraction: float, seed: int, name: str) -> Any:
    from sklearn.model_selection import train_test_split

    labels = part.labels[positions]
    try:
        return train_test_split(positions, test_size=fraction, random_state=seed, stratify=labels)
    except ValueError:
        counts = [(int(count), of_class) for of_class, count in enumerate(np.bincount(labels)) if count]
        fewest, of_class = min(counts)
        raise UserError(
            f"{name} must hold images enough to set {fraction:.3g} of each class aside, found {len(labels)} of "
            f"{len(counts)} classes, {fewest} of class {of_class} (from 0, by name); add images, or "
            "leave that class out."
        ) from None


def _chosen(part: ImageSplit, positions: NDArray[np.int64]) -> ImageSplit:
    ordered = np.sort(positions)
    return ImageSplit(part.images[ordered], part.labels[ordered])


def digest(arrays: Mapping[str, Array]) -> str:
    """SHA-256 over name, dtype, shape and bytes of each array; identifies data in a fingerprint."""
    sha = hashlib.sha256()
    for key in sorted(arrays):
        array = arrays[key]
        sha.update(f"{key} {array.dtype.str} {array.shape}\n".encode())
        for block in blocks(array):
            sha.update(block.data)
    return sha.hexdigest()


def data_card(
    name: str,
    title: str,
    parts: dict[str, ImageSplit],
    class_names: list[str],
    files: dict[str, str],
    declared: Preparation = AS_MNIST,
    kind: str = "images",
) -> DataCard:
    """The data card of a data set.

    Args:
        name, title: the name in parameters and the name in reports.
        parts: "train", "valid" and "test".
        class_names: names of labels 0 to K - 1.
        files: SHA-256 of each source file.
        declared: how the source's pictures became these images: `whole`, `dark_on_light`, `transposed`.
    """
    _, height, width = parts["train"].images.shape
    return DataCard(
        name,
        title,
        height,
        width,
        class_names,
        requested=name,
        images={split: len(part) for split, part in parts.items()},
        sha256={split: digest(part.arrays()) for split, part in parts.items()},
        files=files,
        preparation=measured(parts["train"].images, declared) if kind == "images" else declared,
        kind=kind,
    )
