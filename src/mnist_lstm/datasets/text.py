"""Reports in text files: JSON, CSV, HTML and Markdown."""

import io
import json
from typing import Any

import pandas as pd
from kedro_datasets._typing import HTMLPreview, JSONPreview, TablePreview

from mnist_lstm.core.data.data_card import DataCard
from mnist_lstm.datasets.file_dataset import FileDataset


class JSONDataset(FileDataset):
    """A JSON file in UTF-8, indented so that people can read it."""

    kind = "JSON file"

    def encode(self, data: Any) -> bytes:
        return json.dumps(data, indent=2, ensure_ascii=False).encode()

    def decode(self, content: bytes) -> Any:
        return json.loads(content)

    def preview(self) -> JSONPreview:
        """The content."""
        return JSONPreview(self.encode(self.load()).decode())


class DataCardDataset(JSONDataset):
    """The data card in a JSON file."""

    kind = "data card"

    def encode(self, data: DataCard) -> bytes:
        return super().encode(data.to_dict())

    def decode(self, content: bytes) -> DataCard:
        return DataCard.from_dict(super().decode(content))


class CSVDataset(FileDataset):
    """A table in a CSV file. A file that was cut within a line is refused, because its last newline is missing."""

    kind = "CSV file"

    def encode(self, data: pd.DataFrame) -> bytes:
        return data.to_csv(index=False).encode()  # type: ignore[no-any-return]

    def decode(self, content: bytes) -> pd.DataFrame:
        if not content.endswith(b"\n"):
            raise ValueError("a last line without a newline at its end")
        return pd.read_csv(io.BytesIO(content))

    def preview(self, nrows: int = 5) -> TablePreview:
        """The first rows."""
        return TablePreview(self.load().head(nrows).to_dict(orient="split"))


class TextDataset(FileDataset):
    """A text file in UTF-8."""

    kind = "text file"

    def encode(self, data: str) -> bytes:
        return data.encode()

    def decode(self, content: bytes) -> str:
        return content.decode()


class HTMLDataset(TextDataset):
    """A page; Kedro-Viz shows it without its style."""

    def preview(self) -> HTMLPreview:
        """The page without line ends, because Kedro-Viz shows each one as an empty line."""
        return HTMLPreview(self.load().replace("\n", " "))


class MarkdownDataset(TextDataset):
    """A Markdown text; Kedro-Viz renders it under the name of an HTML preview."""

    def preview(self) -> HTMLPreview:
        """The text."""
        return HTMLPreview(self.load())
