"""A long table in a CSV file, one part at a time."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from kedro_datasets._typing import TablePreview

from mnist_lstm.datasets.file_dataset import NOTHING, FileDataset

ROWS = 1000  # in a part that is loaded
PREVIEWED = 30  # rows in a preview


class TableDataset(FileDataset):
    """Saves and loads an iterator over the table's parts; loaded columns are text.

    Only one part is in memory at a time.
    """

    kind = "CSV file"
    remedy = "make it again: `kedro run --pipelines predict`"

    def _write(self, data: Iterator[pd.DataFrame], path: Path) -> None:
        # A file name whose bytes are not UTF-8 is written with escapes
        with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            for position, part in enumerate(data):
                part.to_csv(file, index=False, header=position == 0)

    def _read(self, path: Path) -> Iterator[pd.DataFrame]:
        path.stat()  # a missing file is reported here, not at the first part
        return _parts(path)

    def _loaded_after(self, data: Iterator[pd.DataFrame], written: Path) -> object:
        return NOTHING  # the iterator is used up

    def preview(self) -> TablePreview:
        """The first rows."""
        return TablePreview(next(self.load())[:PREVIEWED].to_dict(orient="split"))


def _parts(path: Path) -> Iterator[pd.DataFrame]:
    with pd.read_csv(path, dtype=str, keep_default_na=False, chunksize=ROWS) as reader:
        yield from reader
