"""Figures, written whole: plotly's as JSON, matplotlib's as PNG."""

import base64
import io
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractDataset
from kedro_datasets import plotly
from kedro_datasets._typing import ImagePreview

from mnist_lstm.datasets.whole import Whole


class PlotlyDataset(Whole, plotly.JSONDataset):
    """A plotly figure in a JSON file, which Kedro-Viz shows with its hover and zoom."""

    kind = "plotly figure"


class _PngFile(AbstractDataset[Any, bytes]):
    def __init__(self, *, filepath: str, dpi: int, metadata: dict[str, Any] | None = None):
        self._filepath = PurePosixPath(filepath)
        self._protocol = "file"
        self._dpi = dpi
        self.metadata = metadata

    def save(self, data: bytes) -> None:
        Path(self._filepath).write_bytes(data)

    def load(self) -> bytes:
        return Path(self._filepath).read_bytes()

    def _exists(self) -> bool:
        return Path(self._filepath).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "dpi": self._dpi}


class FigureDataset(Whole, _PngFile):
    """A matplotlib figure: saved as a picture, and loaded as the PNG file's bytes, drawn once for all who show it.

    Args:
        filepath: of the PNG file.
        dpi: pixels an inch.
    """

    kind = "PNG file"

    def save(self, data: Any) -> None:
        picture = io.BytesIO()
        data.savefig(picture, format="png", dpi=self._dpi)
        super().save(picture.getvalue())

    def preview(self) -> ImagePreview:
        """The picture."""
        return ImagePreview(base64.b64encode(self.load()).decode())
