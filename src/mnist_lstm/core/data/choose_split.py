"""Which images train, validate and test, where the files of a data set do not say it."""

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.data.file_backed import FileBackedArray, after, before
from mnist_lstm.core.data.splits import ImageSplit, stratified
from mnist_lstm.errors import UserError

SHARES = (70, 10, 20)  # percent to train, validate and test
HEAD = 12  # one in so many training images validates: the first 5,000 of MNIST's 60,000
MOST_AWAY = 0.1  # of the class shares (total variation distance) for the first images to validate
CUSTOM = {70_000: 60_000}  # images in one table, as MNIST and those made after it have, and how many of them train


def three_parts(parts: dict[str, ImageSplit], how: str, place: str, seed: int) -> tuple[dict[str, ImageSplit], str]:
    """The parts train, valid and test, and a sentence that says where each comes from.

    Args:
        parts: "train" and perhaps "valid" and "test".
        how: the parameter `data.split`.

    Raises:
        UserError: if a part would lack a class or be empty.
    """
    found, origin = dict(parts), dict.fromkeys(parts, "")
    shares = tuple(map(float, how.split("/"))) if "/" in how else SHARES
    if "test" not in found:
        count = int(how) if how.isdigit() else _by_custom(found["train"].labels) if how == "auto" else 0
        if count:
            found["train"], found["test"] = _first_and_rest(found["train"], count, place, "training")
            origin["test"] = f"those after the first {count:,}"
        else:
            _expect_in_memory(found["train"], place)
            share = shares[2] / sum(shares)
            found["train"], found["test"] = stratified(found["train"], [share], seed, place)
            origin["test"] = "drawn by class"
    if "valid" not in found:
        drawn = {"first": "first", "auto": "auto"}.get(how, "auto" if how.isdigit() else "stratified")
        drawn = "stratified" if how == "auto" and origin["test"] == "drawn by class" else drawn
        share = 1 / HEAD if drawn != "stratified" else shares[1] / (shares[0] + shares[1])
        count = max(len(set(found["train"].labels.tolist())), round(share * len(found["train"])))
        found["valid"], found["train"], origin["valid"] = validation(found["train"], count, drawn, place, seed)
    ordered = {split: found[split] for split in ("train", "valid", "test")}
    return ordered, ", ".join(
        f"{len(ordered[split]):,} to {use}" + f" ({origin.get(split)})" * bool(origin.get(split))
        for split, use in (("train", "train"), ("valid", "validate"), ("test", "test"))
    )


def validation(part: ImageSplit, count: int, how: str, place: str, seed: int) -> tuple[ImageSplit, ImageSplit, str]:
    """`count` images that validate, the others, and how they were chosen.

    Args:
        part: the training images.
        how: "first": the first images; "stratified": drawn, every class in its share; "auto": the first images, or
            drawn where those have other classes than all, as in a file that is sorted by class.

    Raises:
        UserError: if `how` is "first" and the first images lack a class.
    """
    alike = _representative(part.labels, count)
    if how == "auto" and isinstance(part.images, FileBackedArray):
        how = "first"
    if how == "stratified" or (how == "auto" and not alike):
        _expect_in_memory(part, place)
        rest, drawn = stratified(part, [count / len(part)], seed, place)
        sorted_by_class = "; the first ones have other shares of the classes" if how == "auto" else ""
        return drawn, rest, f"drawn by class{sorted_by_class}"
    valid, rest = _first_and_rest(part, count, place, "validation")
    return valid, rest, "the first ones"


def _representative(labels: NDArray[np.uint8], count: int) -> bool:
    """Whether the first labels have the classes and, nearly, the class shares of all."""
    total = np.bincount(labels, minlength=256)
    first = np.bincount(labels[:count], minlength=256)
    away = np.abs(total / total.sum() - first / max(first.sum(), 1)).sum() / 2
    return bool(away <= MOST_AWAY and not (first[total > 0] == 0).any())


def _by_custom(labels: NDArray[np.uint8]) -> int:
    """How many of the first images train by custom; 0 where there is none or the file is sorted by class."""
    count = CUSTOM.get(len(labels), 0)
    return count if count and _representative(labels, count) else 0


def _first_and_rest(part: ImageSplit, count: int, place: str, use: str) -> tuple[ImageSplit, ImageSplit]:
    """The first `count` images, which are for "training" or "validation", and the others."""
    if count >= len(part):
        raise UserError(
            f"{place} must have images after the first {count} for {use}, found {len(part)} in all; give data.split a "
            "smaller number, or have more."
        )
    if lacking := set(part.labels.tolist()) - set(part.labels[:count].tolist()):
        raise UserError(
            f"{place} must have every class in its {use} images, but the first {count} lack {len(lacking)}: it is "
            "sorted by class; draw them: --params data.split=stratified."
        )
    first = ImageSplit(before(part.images, count), part.labels[:count].copy())
    return first, ImageSplit(after(part.images, count), part.labels[count:])


def _expect_in_memory(part: ImageSplit, place: str) -> None:
    if isinstance(part.images, FileBackedArray):
        raise UserError(
            f"{place} is larger than memory, so its images cannot be drawn by class: have a test file, shuffle the "
            "files and pass data.split=first."
        )
