"""IDX files: MNIST's form, gzipped or not, of any type, with the names of MNIST, EMNIST or QMNIST."""

from pathlib import Path
from typing import Any

from mnist_lstm.core.data import idx
from mnist_lstm.data_parameters import DataParameters
from mnist_lstm.datasets.file_backed import array_in
from mnist_lstm.datasets.forms.raw import RawData, RawSplit, by_split, is_of_labels, left_out, of_emnist, only
from mnist_lstm.errors import UserError


def recognises(path: Path, head: bytes) -> bool:
    """Whether it begins with an IDX header, gzipped or not."""
    magic = idx.magic_in(head)
    return len(magic) == 4 and magic[:2] == b"\0\0" and magic[2] in idx.TYPES and 1 <= magic[3] <= 4


def read(files: list[Path], data: DataParameters) -> RawData:
    """Images and labels of each split; EMNIST's images are transposed."""
    found, rest = by_split(files, data.subset)
    if "test" in found and "train" not in found and not rest:
        raise UserError(f"{files[0].parent} must hold training images, found {', '.join(p.name for p in files)}.")
    parts = {split: _part(paths, split) for split, paths in found.items()}
    emnist = of_emnist(found.values())
    names = _emnist_names(files[0].parent, found) if emnist else None
    return RawData("EMNIST's IDX files" if emnist else "IDX files", parts, names, emnist, notes=left_out(rest))


def labels_in(path: Path) -> Any:
    """Labels (N,): of an IDX file of one axis, or column 0 of QMNIST's (N, 8), which is the digit."""
    array = idx.decode(path.read_bytes(), str(path), idx.TYPES, axes=(1, 2))
    return array[:, 0] if array.ndim == 2 else array


def images_in(path: Path) -> Any:
    """Images in an IDX file of any type; those of bytes that are larger than memory stay in their file."""
    if _type_and_axes(path) == (idx.UNSIGNED_BYTE, 3):
        return array_in(path)
    return idx.decode(path.read_bytes(), str(path), idx.TYPES, axes=(3, 4))


def _part(paths: list[Path], split: str) -> RawSplit:
    """The files of labels are known by their names, or else by having the fewest axes."""
    named = [path for path in paths if is_of_labels(path.name)]
    labels = named or [path for path in paths if _type_and_axes(path)[1] < 3]
    images = [path for path in paths if path not in labels]
    chosen = only(images, f"{split} images", labels), only(labels, f"{split} labels", images)
    return RawSplit(images_in(chosen[0]), labels_in(chosen[1]))


def _type_and_axes(path: Path) -> tuple[int, int]:
    with path.open("rb") as file:
        return idx.kind_in(file, str(path))


def _emnist_names(folder: Path, found: dict[str, list[Path]]) -> dict[int, str] | None:
    """The characters of EMNIST's mapping file, whose lines are a label and the codes of its characters."""
    prefix = found["train"][0].name.partition("-train")[0]
    mapping = next(iter(folder.rglob(f"{prefix}-mapping.txt")), None)
    if mapping is None:
        return None
    try:
        lines = [[int(word) for word in line.split()] for line in mapping.read_text().splitlines() if line.strip()]
        return {label: chr(first) for label, first, *_ in lines}
    except (ValueError, OverflowError) as error:
        raise UserError(
            f"{mapping} must have lines of a label and the codes of its characters, found: {error}."
        ) from None
