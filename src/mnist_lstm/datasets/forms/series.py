"""Series as the UEA and UCR archives have them: `.ts` of one dimension or several, and `.tsv` with the label first.

Source: the format of .ts files at https://www.aeon-toolkit.org/en/stable/api_reference/file_specifications/ts.html.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mnist_lstm.data_parameters import DataParameters
from mnist_lstm.datasets.forms import tables
from mnist_lstm.datasets.forms.raw import RawData, RawSplit, by_split, first_bytes, left_out, only
from mnist_lstm.errors import UserError


def recognises(path: Path, head: bytes) -> bool:
    """Whether it is a .ts file, or a table of numbers between tabs whose first is whole and another is not."""
    if b"\0" in head:
        return False
    return _is_ts(head) or _is_tsv(head)


def read(files: list[Path], data: DataParameters) -> RawData:
    """The series of each split."""
    of_ts = [path for path in files if _is_ts(first_bytes(path))]
    if data.kind == "images" and of_ts:
        raise UserError(f"{of_ts[0]} must hold images, as data.kind or the model says, found series (.ts).")
    if data.kind == "images":
        return tables.read(files, data)
    found, rest = by_split(of_ts or files, data.subset)
    chosen = {split: only(paths, f"{split} series") for split, paths in found.items()}
    parts = {split: _ts(path) if of_ts else _tsv(path, data) for split, path in chosen.items()}
    copies = [path for path in files if of_ts and path not in of_ts]  # the archives have .arff and .txt of the same
    return RawData(f"UEA/UCR {'.ts' if of_ts else '.tsv'}", parts, kind="series", notes=left_out([*rest, *copies]))


def other_split(path: Path) -> list[Path]:
    """The file of test series next to one of training series: X_TEST.ts to X_TRAIN.ts."""
    names = {path.name.replace(train, test) for train, test in (("TRAIN", "TEST"), ("train", "test"))} - {path.name}
    return [path.with_name(name) for name in names if path.with_name(name).is_file()]


def _is_ts(head: bytes) -> bool:
    return any(line.lstrip().lower().startswith(b"@problemname") for line in head.splitlines()[:200]) or (
        b"@data" in head.lower() and b"@relation" not in head.lower() and head.lstrip()[:1] in b"@#"
    )


def _is_tsv(head: bytes) -> bool:
    cells = head.split(b"\n", 1)[0].split(b"\t")
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError:
        return False
    return len(numbers) > 1 and numbers[0].is_integer() and not all(number.is_integer() for number in numbers)


def _tsv(path: Path, data: DataParameters) -> RawSplit:
    """A label and the steps of one feature in each row; a shorter series has nan after its last step."""
    separator = "\t" if b"\t" in first_bytes(path) else ","
    try:
        table = pd.read_csv(path, sep=separator, header=None, dtype=np.float64, na_values=["?"], skip_blank_lines=False)
        label = int(data.label_column or 0)
        values = table.drop(columns=label).to_numpy(np.float32)
    except (ValueError, KeyError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path} must be rows of numbers with a label, found: {' '.join(str(error).split())}."
        ) from None
    return RawSplit(values, table[label].to_numpy())


def _ts(path: Path) -> RawSplit:
    """The series, nan after the last step of each, and their labels; None where the file says that it has none."""
    keys: dict[str, list[str]] = {}
    series: list[Any] = []
    labels: list[str] = []
    for number, line in _lines(path):
        place = f"{path}, line {number}"
        if line.startswith("@"):
            key, *values = line.split()
            keys[key.lower()] = values
            continue
        if not series:
            _expect_classes(path, keys)
        *dimensions, last = line.split(":")
        if not _says(keys, "@classlabel", "true"):
            dimensions, last = [*dimensions, last], ""
        elif (names := keys.get("@classlabel", [])[1:]) and last.strip() not in names:
            raise UserError(
                f"{place} must end with a label of @classLabel ({', '.join(names)}), found {last.strip()!r}."
            )
        series.append(_dimensions(dimensions, place))
        labels.append(last.strip())
        wanted = int(keys.get("@dimensions", [str(series[0].shape[1])])[0])
        if series[-1].shape[1] != wanted:
            raise UserError(f"{place} must have {wanted} dimensions, found {series[-1].shape[1]}.")
    if not series:
        raise UserError(f"{path} must hold series after @data, found none.")
    array = np.full((len(series), max(map(len, series)), series[0].shape[1]), np.nan, np.float32)
    for position, each in enumerate(series):
        array[position, : len(each)] = each
    return RawSplit(array, np.array(labels) if _says(keys, "@classlabel", "true") else None)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The keys and the series, each with the number of its line; comments and blank lines are left out."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if (text := line.strip()) and not text.startswith("#"):
                    yield number, text
    except UnicodeDecodeError as error:
        raise UserError(f"{path} must be text, found: {error}.") from None


def _says(keys: dict[str, list[str]], key: str, otherwise: str) -> bool:
    """Whether the value of a key is true."""
    return (keys.get(key) or [otherwise])[0].lower() == "true"


def _expect_classes(path: Path, keys: dict[str, list[str]]) -> None:
    if _says(keys, "@targetlabel", "false"):
        raise UserError(f"{path} is a regression file (@targetLabel true): its targets are numbers, not classes.")
    if _says(keys, "@timestamps", "false"):
        raise UserError(f"{path} must hold values alone, found times of steps (@timeStamps true); write it without.")


def _dimensions(dimensions: list[str], place: str) -> Any:
    """The steps of a series, float32 (T, F)."""
    try:
        columns = [np.array(each.split(","), dtype=np.float32) for each in dimensions]
    except ValueError:
        raise UserError(_wrong_value(dimensions, place)) from None
    if len({len(column) for column in columns}) != 1:
        lengths = ", ".join(str(len(column)) for column in columns) or "none"
        raise UserError(f"{place} must have as many values in each dimension, found {lengths}.")
    array = np.stack(columns, axis=1)
    if not np.isfinite(array).all():
        raise UserError(_wrong_value(dimensions, place))
    return array


def _wrong_value(dimensions: list[str], place: str) -> str:
    for dimension, values in enumerate(each.split(",") for each in dimensions):
        for step, value in enumerate(map(str.strip, values)):
            if _is_finite(value):
                continue
            what = "a missing value" if value.lower() in ("?", "nan", "") else repr(value)
            return (
                f"{place} must have a number at each step, found {what} in dimension {dimension}, step {step} "
                "(both from 0); fill it, or leave the series out."
            )
    return f"{place} must have numbers that float32 holds."


def _is_finite(value: str) -> bool:
    try:
        return bool(np.isfinite(np.array(value, dtype=np.float32)))
    except ValueError:
        return False
