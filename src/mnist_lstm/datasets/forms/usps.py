"""USPS as LIBSVM has it (sparse text, .bz2 or plain) and as an HDF5 file with the groups train and test."""

import bz2
import math
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from mnist_lstm.data_parameters import DataParameters
from mnist_lstm.datasets.forms.pixel_columns import shaped
from mnist_lstm.datasets.forms.raw import SPLITS, RawData, RawSplit, by_split, first_bytes, left_out, only
from mnist_lstm.errors import UserError

HDF5 = b"\x89HDF\r\n\x1a\n"
SPARSE = re.compile(rb"^[-+]?[\d.]+\s+\d+:")


def recognises(path: Path, head: bytes) -> bool:
    """Whether it is an HDF5 file, or its first line is a label and pairs of position and value."""
    if head.startswith(HDF5):
        return True
    if head.startswith(b"BZh"):
        try:
            head = bz2.BZ2Decompressor().decompress(head, 100)
            if not head:  # a block is decompressed as a unit of up to 900 kB
                with bz2.open(path) as file:
                    head = file.read(100)
        except (OSError, EOFError):
            return path.name.endswith((".bz2", ".BZ2"))
    return bool(SPARSE.match(head))


def read(files: list[Path], data: DataParameters) -> RawData:
    """Images (N, 16, 16) from -1 to 1; labels 1 to 10 are the digits 0 to 9."""
    found, rest = by_split(files, data.subset)
    hdf5 = first_bytes(files[0], len(HDF5)) == HDF5
    if hdf5:
        parts = _hdf5(only([path for paths in found.values() for path in paths], "HDF5"), data)
    else:
        parts = _sparse({split: only(paths, f"{split} images") for split, paths in found.items()}, data)
    labels = {int(label) for part in parts.values() for label in np.unique(part.labels)}
    notes = left_out(rest)
    if labels == set(range(1, 11)):
        parts = {split: RawSplit(part.images, part.labels - 1) for split, part in parts.items()}
        notes += ("labels 1 to 10 are the digits 0 to 9",)
    return RawData("an HDF5 file" if hdf5 else "LIBSVM's sparse text", parts, notes=notes)


def _sparse(paths: dict[str, Path], data: DataParameters) -> dict[str, RawSplit]:
    """The images of each split; with `data.size` also where the last pixels are 0 in all images, and thus left out."""
    found = {split: _rows(path) for split, path in paths.items()}
    count = max(math.prod(data.height_and_width or (0,)), *(pixels.shape[1] for pixels, _ in found.values()))
    for pixels, _ in found.values():
        pixels.resize((pixels.shape[0], count))
    return {
        split: RawSplit(shaped(pixels.toarray(), data, paths[split]), labels.astype(np.int64))
        for split, (pixels, labels) in found.items()
    }


def _rows(path: Path) -> Any:
    from sklearn.datasets import load_svmlight_file

    if path.suffix not in (".bz2", ".gz") and _last_byte(path) != b"\n":  # a pair fewer is a valid line, too
        raise UserError(
            f"{path} must be complete sparse text, found a last line without a line break; if it is complete, add one."
        )
    try:
        return load_svmlight_file(str(path), dtype=np.float32)
    except (ValueError, OSError, EOFError) as error:
        raise UserError(f"{path} must be complete sparse text, found: {' '.join(str(error).split())}.") from None


def _hdf5(path: Path, data: DataParameters) -> dict[str, RawSplit]:
    try:
        import h5py
    except ModuleNotFoundError:
        raise UserError(f"{path} is an HDF5 file, which needs h5py; install it: pip install -e '.[hdf5]'.") from None
    try:
        with h5py.File(path, "r") as file:
            groups = {split: file[split] for split in SPLITS if split in file}
            arrays: dict[str, Any] = {split: (each["data"][:], each["target"][:]) for split, each in groups.items()}
    except (OSError, KeyError) as error:
        raise UserError(
            f"{path} must be a complete HDF5 file with the groups train and test, each of data and target, found: "
            f"{' '.join(str(error).split())}."
        ) from None
    if "train" not in arrays:
        raise UserError(f"{path} must have the groups train and test, found none.")
    return {split: RawSplit(shaped(pixels, data, path), labels) for split, (pixels, labels) in arrays.items()}


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read()
