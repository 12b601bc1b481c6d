"""Parquet files: of Hugging Face, with a picture file in each row, or of pixels in columns or in lists."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mnist_lstm.core.data.pixels import WHITE
from mnist_lstm.data_parameters import DataParameters
from mnist_lstm.datasets.forms.encoded import expect_readable, pictures, skipped
from mnist_lstm.datasets.forms.pixel_columns import label_position, shaped, without_name
from mnist_lstm.datasets.forms.raw import RawData, RawSplit, by_split, left_out
from mnist_lstm.errors import UserError

ROWS = 5000  # read at a time


def recognises(path: Path, head: bytes) -> bool:
    """Whether it begins as a parquet file."""
    return head.startswith(b"PAR1")


class _Part(NamedTuple):
    images: Any
    labels: list[Any] | None  # None without a column of them
    names: dict[int, str] | None  # of the classes, where the file has Hugging Face's description
    of_pictures: bool


def read(files: list[Path], data: DataParameters) -> RawData:
    """The rows of all files of each split, in the order of the files' names."""
    found, rest = by_split(files, data.subset)
    broken = list[str]()
    read_parts = {split: [_read(path, data, broken) for path in paths] for split, paths in found.items()}
    for split, paths in found.items():
        lacking = [path for path, part in zip(paths, read_parts[split], strict=True) if part.labels is None]
        if 0 < len(lacking) < len(paths):
            raise UserError(f"{lacking[0]} must have a column of labels as the files beside it, found none.")
    parts = {
        split: RawSplit(
            np.concatenate([part.images for part in each]),
            None
            if any(part.labels is None for part in each)
            else np.array([label for part in each for label in part.labels or ()]),
        )
        for split, each in read_parts.items()
    }
    every = [part for each in read_parts.values() for part in each]
    names = next((part.names for part in every if part.names), None)
    whole, notes = any(part.of_pictures for part in every), (*left_out(rest), *skipped(broken))
    ink = data.dark_on_light if whole else None
    return RawData("parquet files", parts, names, whole=whole, dark_on_light=ink, notes=notes)


def _read(path: Path, data: DataParameters, broken: list[str]) -> _Part:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    try:
        file = ParquetFile(path)
        every = file.schema_arrow.names
        unused = without_name(every)
        columns = [name for at, name in enumerate(every) if at not in unused]
        label = label_position(path, columns, None, data)
        named = None if label is None else columns[label]
        types = {name: file.schema_arrow.field(name).type for name in columns}
        nested = [name for name, kind in types.items() if pa.types.is_struct(kind)]
        listed = [name for name, kind in types.items() if pa.types.is_nested(kind) and name not in nested]
        if len(listed) > 1:
            raise UserError(f"{path} must have one column of lists, found {', '.join(listed)}; leave out the others.")
        if not nested and not listed:
            _expect_numbers(path, {name: kind for name, kind in types.items() if name != named})
        labels: list[Any] = []

        def batches() -> Iterator[Any]:
            for batch in file.iter_batches(ROWS, columns=columns):
                labels.extend([None] * batch.num_rows if label is None else batch.column(label).to_pylist())
                yield batch

        if nested:
            cells = enumerate(cell["bytes"].as_py() for batch in batches() for cell in batch.column(nested[0]))
            images, kept = pictures(((f"row {row} of {path}", cell or b"") for row, cell in cells), data, broken)
            expect_readable(broken, path, data.skip_unreadable)
            labels = [labels[position] for position in kept]
        else:
            images = _of_numbers(path, batches(), columns, label, listed, data)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path} must be a complete parquet file, found: {' '.join(str(error).split())}.") from None
    if not len(images):
        raise UserError(f"{path} must hold images, found no row.")
    return _Part(images, None if named is None else labels, _names(file, named), bool(nested))


def _expect_numbers(path: Path, types: dict[str, Any]) -> None:
    import pyarrow as pa

    numbers = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    if wrong := [f"{name!r} of {kind}" for name, kind in types.items() if not any(is_one(kind) for is_one in numbers)]:
        raise UserError(
            f"{path} must have numbers in all columns but that of the labels, found {', '.join(wrong)}; remove these "
            "columns, or name that of the labels: --params data.label_column=NAME."
        )


def _of_numbers(
    path: Path, batches: Iterable[Any], columns: list[str], label: int | None, listed: list[str], data: DataParameters
) -> Any:
    """Images whose pixels lie in columns or, if a column has lists, in these: of rows of pixels, or of all pixels."""
    parts = []
    for batch in batches:
        if listed:
            parts.append(_pixels_of_lists(path, listed[0], batch.column(listed[0])))
        else:
            each = [batch.column(at).to_numpy(zero_copy_only=False) for at in range(len(columns)) if at != label]
            parts.append(_as_bytes(np.stack(each, axis=1)))
    if len({part.shape[1:] for part in parts}) > 1:
        raise _unequal_lists(path, listed[0])
    pixels = np.concatenate(parts) if parts else np.empty((0, 1, 1))
    names = [] if listed else [name for at, name in enumerate(columns) if at != label]
    return shaped(pixels, data, path, names) if pixels.ndim == 2 else pixels


def _pixels_of_lists(path: Path, column: str, lists: Any) -> Any:
    """Numbers (N, P) or (N, height, width) of as many lists, which may hold lists."""
    shape = [len(lists)]
    while hasattr(lists, "flatten"):
        inner = lists.flatten()
        lengths = set(lists.value_lengths().to_pylist())
        if len(lengths) != 1 or None in lengths:
            raise _unequal_lists(path, column)
        shape.append(*lengths)
        lists = inner
    values = lists.to_numpy(zero_copy_only=False)
    if values.dtype.kind not in "iuf":
        raise _unequal_lists(path, column)
    return _as_bytes(values).reshape(shape)


def _unequal_lists(path: Path, column: str) -> UserError:
    return UserError(
        f"{path} must have as many numbers in each list of the column {column!r}; leave out the rows that have not."
    )


def _as_bytes(values: Any) -> Any:
    """The values as uint8 where they are whole numbers that fit."""
    fits = values.dtype.kind in "iu" and values.size and values.min() >= 0 and values.max() <= WHITE
    return values.astype(np.uint8) if fits else values


def _names(file: Any, label: str | None) -> dict[int, str] | None:
    about = json.loads((file.schema_arrow.metadata or {}).get(b"huggingface", b"{}"))
    names = about.get("info", {}).get("features", {}).get(label, {}).get("names")
    return dict(enumerate(names)) if isinstance(names, list) else None
