"""Pictures in a folder for each class, which may lie in folders for the splits."""

import hashlib
import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np

from mnist_lstm.core.data.labels import MOST_CLASSES
from mnist_lstm.data_parameters import DataParameters
from mnist_lstm.datasets.forms.encoded import expect_readable, pictures, skipped
from mnist_lstm.datasets.forms.raw import SPLITS, RawData, RawSplit, foreign, ignored
from mnist_lstm.errors import UserError


def read(place: Path, data: DataParameters) -> RawData:
    """The pictures of each split: `train/CLASS/` and `test/CLASS/`, perhaps `val/CLASS/`; or `CLASS/` alone.

    Classes are the folders' names, in order. Hidden files, those of Windows and macOS, and files next to the folders of
    the classes are not read.

    Raises:
        UserError: if the folders are others, or a picture cannot be read and `data.skip_unreadable` is false.
    """
    place = _unwrapped(place)
    folders = _split_folders(place)
    sha, broken = hashlib.sha256(), list[str]()
    parts, classes = {}, dict[str, list[str]]()
    for split, folder in (folders or {"train": place}).items():
        classes[split], parts[split] = _part(folder, classes.get("train", []), data, sha, broken)
    known = classes["train"]
    for split, names in classes.items():
        _expect(names == known, place, f"the same classes in train and {split}, found {known} and {names}")
    expect_readable(broken, place, data.skip_unreadable)
    count = f"{sum(len(part.labels) for part in parts.values())} pictures"
    layout = ", ".join(folder.name for folder in folders.values()) if folders else "one folder for each class"
    form, files, ink = f"folders of pictures ({layout})", {count: sha.hexdigest()}, data.dark_on_light
    class_names, notes = dict(enumerate(known)), skipped(broken)
    return RawData(form, parts, class_names, whole=True, dark_on_light=ink, files=files, notes=notes)


def _visible(folder: Path) -> Iterator[Path]:
    """What lies in a folder, without hidden files and those of the system."""
    return (path for path in folder.iterdir() if not ignored(path.name))


def _unwrapped(place: Path) -> Path:
    """The folder in the folder, where it is the only one and holds folders itself, as archives have it."""
    inner = [path for path in _visible(place) if path.is_dir()]
    of_a_split = len(inner) == 1 and any(inner[0].name.lower() in names for names in SPLITS.values())
    if len(inner) == 1 and not of_a_split and any(path.is_dir() for path in _visible(inner[0])):
        return _unwrapped(inner[0])
    return place


def _split_folders(place: Path) -> dict[str, Path]:
    """The folders of the splits, train first; none where the folders are classes."""
    found: dict[str, list[Path]] = {}
    for path in sorted(_visible(place)):
        for split, names in SPLITS.items():
            if path.is_dir() and path.name.lower() in names:
                found.setdefault(split, []).append(path)
    if "train" not in found:
        _expect("test" not in found, place, "a folder train next to test, found none")
        return {}
    for split, paths in found.items():
        _expect(len(paths) == 1, place, f"one folder to {split}, found {', '.join(path.name for path in paths)}")
    return {split: found[split][0] for split in SPLITS if split in found}


def _part(
    folder: Path, known: list[str], data: DataParameters, sha: Any, broken: list[str]
) -> tuple[list[str], RawSplit]:
    """Class names, and the pictures of all classes in turn: the first of each, the second of each, and so on.

    Classes have the order of their names, but numbers that of their values: 2 before 10.

    Args:
        known: the classes that come first, in their order.
    """

    def place(path: Path) -> tuple[int, float, Path]:
        name = _name(path)
        return known.index(name) if name in known else len(known), int(name) if name.isdecimal() else math.inf, path

    classes = sorted((path for path in _visible(folder) if path.is_dir()), key=place)
    if not 2 <= len(classes) <= MOST_CLASSES:
        other = foreign(path for path in folder.rglob("*") if not ignored(path.name))
        found_here = f"{len(classes)}, and {other}" if other else len(classes)
        raise UserError(
            f"{folder} must hold 2 to {MOST_CLASSES} folders of a class, found {found_here}; put the pictures of each "
            "class into a folder of its name."
        )
    found = [
        (rank, label, path) for label, each in enumerate(classes) for rank, path in enumerate(sorted(_visible(each)))
    ]
    for label, each in enumerate(classes):
        encoded = os.fsencode(each.name)
        is_utf8 = encoded.decode(errors="ignore").encode() == encoded
        _expect(is_utf8, folder, f"folders whose names are UTF-8, found {encoded!r}; rename it")
        _expect(any(label == of for _, of, _ in found), each, "pictures, found none")
    order = [(label, path) for _, label, path in sorted(found)]
    images, kept = pictures(_hashed((path for _, path in order), sha), data, broken)
    names = list(map(_name, classes))
    _expect(len(set(names)) == len(names), folder, f"a folder for each class, found two of one name in {names}")
    return names, RawSplit(images, np.array([order[position][0] for position in kept]))


def _name(folder: Path) -> str:
    """A class's name: the same in an ASCII locale, and where a letter and its accent are two, as macOS writes them."""
    return normalize("NFC", os.fsencode(folder.name).decode(errors="surrogateescape"))


def _hashed(paths: Iterable[Path], sha: Any) -> Iterator[tuple[str, bytes]]:
    """The path and the content of each picture; both go into `sha`."""
    for path in paths:
        what = f"the folder {path.name}" if path.is_dir() else f"the dead link {path.name}"
        _expect(path.is_file(), path.parent, f"pictures alone, found {what}")
        content = path.read_bytes()
        sha.update(f"{path.parent.name}/{path.name} {len(content)}\n".encode(errors="surrogateescape") + content)
        yield str(path), content


def _expect(holds: bool, place: Path, what: str) -> None:
    if not holds:
        raise UserError(f"{place} must hold {what}.")
