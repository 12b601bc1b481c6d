"""Tables of pixels: CSV with a header or without, and ARFF as OpenML has it."""

import codecs
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mnist_lstm.core.data.pixels import WHITE
from mnist_lstm.data_parameters import DataParameters
from mnist_lstm.datasets.forms.pixel_columns import label_position, shaped, without_name
from mnist_lstm.datasets.forms.raw import RawData, RawSplit, by_split, first_bytes, left_out, of_emnist, only
from mnist_lstm.errors import UserError

FEWEST = 5  # columns of a table of pixels
ROWS = 5000  # read at a time
UTF8 = "utf-8-sig"


def recognises(path: Path, head: bytes) -> bool:
    """Whether its second line has numbers in columns, or it is an ARFF file."""
    if b"\0" in head and _encoding(head) == UTF8:  # no text
        return False
    lines = _lines(head)
    if lines and _relation(lines):
        return True
    if len(lines) < 2 or (separator := _separator(lines[1])) is None:
        return False
    cells = [line.split(separator) for line in lines[:2]]
    return len(cells[1]) >= FEWEST and sum(map(_number, cells[1])) >= len(cells[1]) - 1


def read(files: list[Path], data: DataParameters) -> RawData:
    """The rows of each split's table; those of a test file without labels are for predictions."""
    found, rest = by_split(files, data.subset)
    parts = {split: table(only(paths, f"{split} images"), data) for split, paths in found.items()}
    emnist = of_emnist(found.values())
    kind = "ARFF" if files[0].suffix.lower() == ".arff" else "CSV"
    names = _columns(_lines(first_bytes(files[0])))[0] or []
    notes = left_out(rest) + ("columns without a name are left out",) * bool(without_name(names))
    return RawData(f"{'EMNIST: ' if emnist else ''}{kind} table", parts, transposed=emnist, notes=notes)


def table(path: Path, data: DataParameters) -> RawSplit:
    """The images of one table, and its labels or None.

    Raises:
        UserError: if the columns are not those of square images and labels, or a row is not like the others.
    """
    columns, skipped, separator = _columns(_lines(first_bytes(path)))
    named = columns is not None
    chunks = _chunks(path, skipped, separator)
    first = next(chunks, None)
    if first is None:
        raise UserError(f"{path} must hold rows of pixels, found none.")
    columns = columns or [str(position) for position in range(first.shape[1])]
    if first.shape[1] != len(columns):
        raise UserError(f"{path} must have {len(columns)} values in each row as in its header, found {first.shape[1]}.")
    label = label_position(
        path, columns, None if named else partial(_ends, path, skipped, separator, len(columns) - 1), data
    )
    unused = without_name(columns) + ([] if label is None else [label])
    values: list[Any] = []
    labels: list[Any] = []
    seen = skipped + 1
    for chunk in chain([first], chunks):
        values.append(_pixels(path, chunk, columns, unused, seen))
        labels += [] if label is None else chunk.iloc[:, label].tolist()
        seen += len(chunk)
    names = [name for at, name in enumerate(columns) if named and at not in unused]
    return RawSplit(shaped(np.concatenate(values), data, path, names), None if label is None else np.array(labels))


def _pixels(path: Path, chunk: pd.DataFrame, columns: list[str], unused: list[int], line: int) -> Any:
    """The pixels of some rows; whole numbers from 0 to 255 as bytes, others as float32."""
    pixels = chunk.drop(columns=chunk.columns[unused])
    wrong = [name for name, dtype in pixels.dtypes.items() if dtype.kind not in "iuf"]
    if bad_columns := wrong or list(pixels.columns[pixels.isna().any()]):
        numbers = pixels[bad_columns].astype(str).apply(pd.to_numeric, errors="coerce")
        row, at = [*np.argwhere(numbers.isna().to_numpy()), (0, 0)][0]
        name = bad_columns[at]
        value = chunk.loc[chunk.index[row], name]
        found = value if isinstance(value, float) else repr(value)
        raise UserError(
            f"{path} must have a number in each column of pixels, found {found} in "
            f"column {columns[int(name)]} of line {line + row}; remove the line or the column, or pass "
            "data.label_column."
        )
    values = pixels.to_numpy()
    if values.dtype.kind == "f" and (values != np.rint(values)).any():
        return values.astype(np.float32)
    bad = np.argwhere((values < (-1 if values.dtype.kind == "f" else 0)) | (values > WHITE))
    if len(bad):
        row, column = bad[0]
        raise UserError(
            f"{path} must have pixels from 0 to {WHITE}, found {values[row, column]:g} in column "
            f"{columns[int(pixels.columns[column])]} of line {line + row}; remove the column if it holds none."
        )
    return values.astype(np.int16 if (values < 0).any() else np.uint8)


def _columns(lines: list[str]) -> tuple[list[str] | None, int, str]:
    """The columns' names, or None without a header; lines to skip; and the separator."""
    if _relation(lines):
        names = [line.split()[1].strip("'\"") for line in lines if line.lower().startswith("@attribute")]
        start = next((at for at, line in enumerate(lines) if line.lower().startswith("@data")), len(lines) - 1)
        return names, start + 1, ","
    separator = _separator(lines[1] if len(lines) > 1 else lines[0]) or ","
    cells = [cell.strip().strip("'\"") for cell in lines[0].split(separator)]
    header = sum(map(_number, cells)) < len(cells) - 1 or _counted(cells)
    return (cells, 1, separator) if header else (None, 0, separator)


def _counted(cells: list[str]) -> bool:
    """Whether cells are 0, 1, 2, ... or 1, 2, 3, ..., as pandas names columns, except for a word first or last."""
    numbers = [cell for at, cell in enumerate(cells) if at not in (0, len(cells) - 1) or _number(cell)]
    return any(numbers == [str(start + at) for at in range(len(numbers))] for start in (0, 1))


def _ends(path: Path, skipped: int, separator: str, last: int) -> tuple[Any, Any]:
    """All values of the first column and of the last one."""
    both = pd.concat(_chunks(path, skipped, separator, usecols=[0, last]))
    return both.iloc[:, 0], both.iloc[:, -1]


def _chunks(path: Path, skipped: int, separator: str, **chosen: Any) -> Iterator[pd.DataFrame]:
    head = first_bytes(path)
    cells = chain.from_iterable(line.split(separator) for line in _lines(head)[skipped:])
    decimal = "," if any("," in cell and _number(cell) for cell in cells) else "."
    try:
        with pd.read_csv(
            path,
            encoding=_encoding(head),
            decimal=decimal,
            header=None,
            skiprows=skipped,
            sep=separator,
            chunksize=ROWS,
            skip_blank_lines=False,
            quotechar="'" if path.suffix == ".arff" else '"',
            **chosen,
        ) as reader:
            yield from reader
    except pd.errors.EmptyDataError:
        return
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} must be text in UTF-8, found {error.object[error.start : error.end]!r}; save it so."
        ) from None
    except ValueError as error:
        raise UserError(f"{path} must be a table, found: {' '.join(str(error).split())}.") from None


def _lines(head: bytes) -> list[str]:
    """The complete lines at the beginning of a file; also the only one."""
    text = head.decode(_encoding(head), errors="replace")
    lines = text.splitlines()
    return lines if text.endswith("\n") or len(lines) < 2 else lines[:-1]


def _relation(lines: list[str]) -> bool:
    return any(line.lower().startswith("@relation") for line in lines[:50])


def _encoding(head: bytes) -> str:
    """UTF-16 where the file begins so, as Excel's "Unicode text" does."""
    return "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else UTF8


def _separator(line: str) -> str | None:
    """The comma, unless it is that of decimals between semicolons or tabs."""
    found = max(";\t", key=line.count)
    return found if line.count(found) >= FEWEST - 1 else "," if "," in line else None


def _number(cell: str) -> bool:
    try:
        float(cell.strip().strip("'\"").replace(",", "."))
    except ValueError:
        return False
    return True
