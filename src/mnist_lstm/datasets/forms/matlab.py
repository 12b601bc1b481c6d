"""Matlab's .mat files of SVHN's cropped digits: X (height, width, channels, N) and y (N, 1)."""

from pathlib import Path

import numpy as np

from mnist_lstm.data_parameters import DataParameters
from mnist_lstm.datasets.forms.raw import RawData, RawSplit, by_split, left_out, only
from mnist_lstm.errors import UserError

TEN = 10  # SVHN's label of the digit 0


def recognises(path: Path, head: bytes) -> bool:
    """Whether it begins as a .mat file of version 5 or 7.3."""
    return head.startswith((b"MATLAB 5.0", b"MATLAB 7.3"))


def read(files: list[Path], data: DataParameters) -> RawData:
    """X and y of each split. A label 10 is the digit 0 where it is the highest and no label is 0."""
    found, rest = by_split(files, data.subset)
    parts = {split: _part(only(paths, f"{split} images")) for split, paths in found.items()}
    notes = left_out(rest)
    labels = np.unique(np.concatenate([part.labels for part in parts.values()]))
    if labels[0] >= 1 and labels[-1] == TEN:
        parts = {split: RawSplit(part.images, part.labels % TEN) for split, part in parts.items()}
        notes += ("label 10 is the digit 0",)
    return RawData("SVHN's .mat files", parts, whole=True, dark_on_light=False, notes=notes)


def _part(path: Path) -> RawSplit:
    from scipy.io import loadmat

    try:
        content = loadmat(path, variable_names=["X", "y"])
    except NotImplementedError:
        raise UserError(
            f"{path} must be a .mat file of version 5 to 7, found version 7.3 (HDF5); save it again: save -v7."
        ) from None
    except Exception as error:  # scipy's reader raises different errors for damaged files
        raise UserError(f"{path} must be a complete .mat file, found: {' '.join(str(error).split())}.") from None
    images, labels = (content.get(key, np.empty(0)) for key in ("X", "y"))
    if images.ndim != 4 or images.dtype != np.uint8 or labels.dtype.kind not in "iu":
        found = ", ".join(f"{key} {np.shape(value)}" for key, value in content.items() if not key.startswith("__"))
        raise UserError(
            f"{path} must hold X, bytes (height, width, channels, N), and y, whole numbers (N, 1), found "
            f"{found or 'none'}."
        )
    return RawSplit(images.transpose(3, 0, 1, 2), labels.ravel().astype(np.int64))
