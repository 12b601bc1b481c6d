"""Parquet files: of Hugging Face, with a picture file in each row, or a table of pixels."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from mnist_lstm.core.inference.decode import WHITE, PictureError
from mnist_lstm.datasets.forms.folders import picture
from mnist_lstm.datasets.forms.pixel_columns import label_position, shaped
from mnist_lstm.datasets.forms.raw import Form, RawData, RawSplit, by_split, left_out
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import DataParameters

ROWS = 5000  # read at a time


def recognises(path: Path, head: bytes) -> bool:
    """Whether it begins as a parquet file."""
    return head.startswith(b"PAR1")


def read(files: list[Path], data: DataParameters) -> RawData:
    """The rows of all files of each split, in the order of the files' names."""
    found, rest = by_split(files, data.subset)
    parts, names = {}, None
    for split, paths in found.items():
        each = [_read(path, data) for path in paths]
        images, labels = (np.concatenate([part[kind] for part in each]) for kind in (0, 1))
        parts[split], names = RawSplit(images, labels), each[0][2] or names
    return RawData("parquet files", parts, names, notes=left_out(rest))


def _read(path: Path, data: DataParameters) -> tuple[Any, Any, dict[int, str] | None]:
    """Images, labels and, where the file has Hugging Face's description, the names of the classes."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    try:
        file = ParquetFile(path)
        columns = file.schema_arrow.names
        label = label_position(path, columns, None, data)
        if label is None:
            raise UserError(
                f"{path} must have a column of labels, found none; name it: --params data.label_column=NAME."
            )
        nested = [name for name in columns if pa.types.is_struct(file.schema_arrow.field(name).type)]
        values: list[Any] = []
        labels: list[Any] = []
        for batch in file.iter_batches(ROWS):
            labels += batch.column(label).to_pylist()
            values.append(_pictures(path, batch.column(nested[0]), data) if nested else _pixels(batch, label))
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path} must be a complete parquet file, found: {' '.join(str(error).split())}.") from None
    if not values:
        raise UserError(f"{path} must hold images, found no row.")
    images = np.concatenate(values)
    return images if nested else shaped(images, data, path), np.array(labels), _names(file, columns[label])


def _pictures(path: Path, column: Any, data: DataParameters) -> Any:
    images: list[Any] = []
    for row in column:
        try:
            images.append(picture(row["bytes"].as_py() or b"", data))
        except PictureError as error:
            raise UserError(f"{path} must hold complete pictures, found in row {len(images)}: {error}.") from None
        if images[-1].shape != images[0].shape:
            raise UserError(
                f"{path} must hold pictures of one size, found {images[0].shape} and {images[-1].shape}; stretch all "
                "to one size: --params data.size=HEIGHTxWIDTH."
            )
    return np.stack(images)


def _pixels(batch: Any, label: int) -> Any:
    columns = [batch.column(at).to_numpy(zero_copy_only=False) for at in range(batch.num_columns) if at != label]
    values = np.stack(columns, axis=1)
    fits = values.dtype.kind in "iu" and values.min() >= 0 and values.max() <= WHITE
    return values.astype(np.uint8) if fits else values


def _names(file: Any, label: str) -> dict[int, str] | None:
    about = json.loads((file.schema_arrow.metadata or {}).get(b"huggingface", b"{}"))
    names = about.get("info", {}).get("features", {}).get(label, {}).get("names")
    return dict(enumerate(names)) if isinstance(names, list) else None


FORM = Form(recognises, read)
