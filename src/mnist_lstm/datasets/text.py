"""Reports: JSON and CSV of kedro-datasets, and texts, written whole."""

from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractDataset
from kedro_datasets import json, pandas
from kedro_datasets._typing import HTMLPreview

from mnist_lstm.core.data.data_card import DataCard
from mnist_lstm.datasets.atomic import Whole


class JSONDataset(Whole, json.JSONDataset):
    """A JSON file."""

    kind = "JSON file"


class _DataCardFile(json.JSONDataset):
    def save(self, data: DataCard) -> None:
        super().save(data.to_dict())

    def load(self) -> DataCard:
        return DataCard.from_dict(super().load())


class DataCardDataset(Whole, _DataCardFile):
    """The data card in a JSON file."""

    kind = "data card"


class _LinesFile(pandas.CSVDataset):
    def load(self) -> Any:
        if self._fs.tail(str(self._filepath), size=1) != b"\n":
            raise ValueError("a last line without a newline at its end")
        return super().load()


class CSVDataset(Whole, _LinesFile):
    """A table in a CSV file. A file that was cut short within a line is refused, as its last newline is missing."""

    kind = "CSV file"


class _TextFile(AbstractDataset[str, str]):
    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None):
        self._filepath = PurePosixPath(filepath)
        self._protocol = "file"
        self.metadata = metadata

    def save(self, data: str) -> None:
        Path(self._filepath).write_text(data, encoding="utf-8")

    def load(self) -> str:
        return Path(self._filepath).read_text(encoding="utf-8")

    def _exists(self) -> bool:
        return Path(self._filepath).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}


class TextDataset(Whole, _TextFile):
    """A text file in UTF-8."""

    kind = "text file"


class HTMLDataset(TextDataset):
    """A page, which Kedro-Viz shows without its style."""

    def preview(self) -> HTMLPreview:
        """The page; Kedro-Viz would make an empty line of each line's end."""
        return HTMLPreview(self.load().replace("\n", " "))


class MarkdownDataset(TextDataset):
    """A text in Markdown, which Kedro-Viz shows set, though it has no name of its own for that kind of preview."""

    def preview(self) -> HTMLPreview:
        """The text."""
        return HTMLPreview(self.load())
