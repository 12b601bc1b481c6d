"""numpy's npz and npy files: Keras, Kuzushiji-49, Kannada-MNIST, MedMNIST, and one's own."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from mnist_lstm.data_parameters import DataParameters
from mnist_lstm.datasets import file_backed
from mnist_lstm.datasets.forms.pixel_columns import shaped
from mnist_lstm.datasets.forms.raw import SPLITS, RawData, RawSplit, first_bytes, is_of_labels, split_named
from mnist_lstm.errors import UserError

NPY = b"\x93NUMPY"


def recognises(path: Path, head: bytes) -> bool:
    """Whether it is an npy file, or a zip file of npy files alone."""
    if head.startswith(NPY):
        return True
    if not head.startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return path.suffix == ".npz"
    return bool(names) and all(name.endswith(".npy") for name in names)


def read(files: list[Path], data: DataParameters) -> RawData:
    """Images and labels of each split, by the names of arrays and files, and by the number of axes."""
    subset, several = (data.subset or "").lower(), len(files) > 1
    arrays = {
        _full_name(path, key, several): array
        for path in sorted(files)
        for key, array in arrays_in(path).items()
        if subset in key.lower()
    }
    unnamed = {split_named(name) for name in arrays} == {None}
    found: dict[str, dict[bool, list[str]]] = {}
    for name, array in arrays.items():
        split = "train" if unnamed else split_named(name)
        if split and array.ndim:
            found.setdefault(split, {True: [], False: []})[array.ndim == 1 or is_of_labels(name)].append(name)
    parts = {split: _part(found[split], arrays, split, files[0], data) for split in SPLITS if split in found}
    rest = [name for name in arrays if not unnamed and split_named(name) is None]
    return RawData("numpy arrays", parts, notes=(f"left out: {', '.join(rest)}",) if rest else ())


def _part(
    names: dict[bool, list[str]], arrays: dict[str, Any], split: str, place: Path, data: DataParameters
) -> RawSplit:
    may_lack_labels = split == "test" or data.path is None  # what is predicted has no path
    for kind, of in (("images", False), ("labels", True)):
        if len(names[of]) != 1 and not (of and may_lack_labels and not names[of]):
            found = ", ".join(names[of]) or "none"
            raise UserError(
                f"there must be one array of {split} {kind}, found {found}; the names must say the split and "
                "'label' or 'y': x_train, y_train, x_test, y_test. A word chooses among several: data.subset=WORD."
            )
    labels = arrays[names[True][0]] if names[True] else None
    if labels is not None and labels.ndim == 2:
        one_hot = ((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all()
        labels = labels[:, 0] if labels.shape[1] == 1 else labels.argmax(axis=1) if one_hot else labels
    if labels is not None and labels.ndim != 1:
        raise UserError(
            f"{place}: {names[True][0]} must hold one label for each image, found {labels.shape}; an image of "
            "several labels cannot be trained on."
        )
    images = arrays[names[False][0]]
    flat = images.ndim == 2 and data.kind != "series"
    if flat and (data.kind == "images" or data.size or ((images >= -1) & (images == np.rint(images))).all()):
        images = shaped(images, data, place)
    return RawSplit(images, labels)


def _full_name(path: Path, key: str, several: bool) -> str:
    """The array's name; with its file's, where only that says the split or keeps arrays of several files apart."""
    return f"{path.name}: {key}" if several and key != path.name and split_named(key) is None else key


def arrays_in(path: Path) -> dict[str, Any]:
    """By key, or by the file's name where it holds one array; pixels larger than memory stay in the file."""
    try:
        if first_bytes(path, len(NPY)) == NPY:
            return {path.name: np.load(path, allow_pickle=False)}
        large = file_backed.large_members(path)
        with np.load(path, allow_pickle=False) as archive:
            single = len(archive.files) == 1
            return {
                path.name if single else name: large[name] if name in large else archive[name] for name in archive.files
            }
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error, KeyError) as error:
        if "allow_pickle" in str(error):
            raise UserError(
                f"{path} must hold arrays of numbers, found objects (a pickle), which are never loaded; save the "
                "images as one array: np.savez(path, x_train=np.stack(images), ...)."
            ) from None
        raise UserError(f"{path} must be a complete file of numpy, found: {' '.join(str(error).split())}.") from None
