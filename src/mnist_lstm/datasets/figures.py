"""Figures, written whole: plotly's as JSON, matplotlib's as PNG."""

import base64
import io
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractDataset
from kedro_datasets import plotly
from kedro_datasets._typing import ImagePreview

from mnist_lstm.datasets.atomic import Whole

LAST_CHUNK = b"\0\0\0\0IEND\xaeB`\x82"


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
        content = Path(self._filepath).read_bytes()
        _check_every_chunk(content)
        return content

    def _exists(self) -> bool:
        return Path(self._filepath).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "dpi": self._dpi}


def _check_every_chunk(png: bytes) -> None:
    """Refuses what is not a PNG file, or is cut short or damaged: Pillow compares the CRC of every chunk but the last.

    The last chunk is always the same. Source: https://www.w3.org/TR/png-3/#11IEND.
    """
    from PIL import Image

    if not png.endswith(LAST_CHUNK):
        raise ValueError("no PNG end chunk at its end")
    with Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
        picture.verify()


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
