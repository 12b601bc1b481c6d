"""Figures: plotly's as JSON, matplotlib's as PNG."""

import base64
import io
import json
from pathlib import Path
from typing import Any

from kedro_datasets._typing import ImagePreview, PlotlyPreview

from mnist_lstm.datasets.file_dataset import NOTHING, FileDataset

LAST_CHUNK = b"\0\0\0\0IEND\xaeB`\x82"


class PlotlyDataset(FileDataset):
    """A plotly figure, or its data and layout as a dict, in a JSON file; it loads as a plotly figure.

    Kedro-Viz shows it with hover and zoom.
    """

    kind = "plotly figure"

    def encode(self, data: Any) -> bytes:
        if not isinstance(data, dict):
            return data.to_json().encode()  # type: ignore[no-any-return]
        finite = json.loads(json.dumps(data), parse_constant=lambda _: None)  # JSON has no nan and no inf
        return json.dumps(finite).encode()

    def decode(self, content: bytes) -> Any:
        from plotly import io as plotly_io

        return plotly_io.from_json(content.decode())

    def _loaded_after(self, data: Any, written: Path) -> Any:
        return NOTHING  # the file is small, and plotly slow to load

    def preview(self) -> PlotlyPreview:
        """The figure."""
        return PlotlyPreview(json.loads(self.load().to_json()))


class FigureDataset(FileDataset):
    """Saves a matplotlib figure as a PNG file and loads the bytes of the file."""

    kind = "PNG file"

    def __init__(self, *, filepath: str, dpi: int, metadata: dict[str, Any] | None = None):
        super().__init__(filepath=filepath, metadata=metadata)
        self._dpi = dpi

    def encode(self, data: Any) -> bytes:
        picture = io.BytesIO()
        data.set_dpi(self._dpi)
        if engine := data.get_layout_engine():  # otherwise savefig draws everything twice
            engine.execute(data)
            data.set_layout_engine(None)
        data.savefig(picture, format="png", dpi=self._dpi)
        return picture.getvalue()

    def decode(self, content: bytes) -> bytes:
        _check_every_chunk(content)
        return content

    def _loaded_after(self, data: Any, written: Path) -> bytes:
        return written.read_bytes()

    def preview(self) -> ImagePreview:
        """The picture."""
        return ImagePreview(base64.b64encode(self.load()).decode())


def _check_every_chunk(png: bytes) -> None:
    """Refuses what is not a PNG file, or is cut short or damaged: Pillow compares the CRC of every chunk but the last.

    The last chunk is always the same. Source: https://www.w3.org/TR/png-3/#11IEND.
    """
    from PIL import Image

    if not png.endswith(LAST_CHUNK):
        raise ValueError("no PNG end chunk at its end")
    with Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
        picture.verify()
