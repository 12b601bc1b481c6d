"""A long table in a CSV file, a part at a time."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset
from kedro_datasets._typing import TablePreview

from mnist_lstm.datasets.atomic import atomic_file
from mnist_lstm.errors import UserError

ROWS = 1000  # of a part that is loaded
PREVIEWED = 30


class TableDataset(AbstractDataset[Iterator[pd.DataFrame], Iterator[pd.DataFrame]]):
    """What is saved is an iterator of the table's parts, and what is loaded too, all columns as text.

    Never more than a part is in memory, and the file is whole or absent all the same.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None):
        self._filepath = PurePosixPath(filepath)
        self.metadata = metadata

    def save(self, data: Iterator[pd.DataFrame]) -> None:
        with (
            atomic_file(Path(self._filepath)) as temporary,
            # a name of bytes that are no UTF-8 is written with escapes
            temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
        ):
            for position, part in enumerate(data):
                part.to_csv(file, index=False, header=position == 0)

    def load(self) -> Iterator[pd.DataFrame]:
        if not self._exists():
            raise UserError(f"{self._filepath} must exist, found none; make it: `kedro run --pipelines predict`.")
        return _parts(Path(self._filepath))

    def _exists(self) -> bool:
        return Path(self._filepath).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}

    def preview(self) -> TablePreview:
        """The first rows."""
        return TablePreview(next(self.load())[:PREVIEWED].to_dict(orient="split"))


def _parts(path: Path) -> Iterator[pd.DataFrame]:
    with pd.read_csv(path, dtype=str, keep_default_na=False, chunksize=ROWS) as reader:
        yield from reader
