"""Named numpy arrays in one npz file, without pickle."""

import base64
import io
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from kedro.io import AbstractDataset
from kedro_datasets._typing import ImagePreview, JSONPreview

from mnist_lstm.core.data.file_backed import FileBackedArray
from mnist_lstm.core.data.sequences import SequenceSplit
from mnist_lstm.core.data.splits import ImageSplit
from mnist_lstm.core.evaluation.metrics import Predictions
from mnist_lstm.datasets import file_backed
from mnist_lstm.datasets.atomic import Whole

PREVIEWED = 30  # images in a preview
END_RECORD = 22  # bytes at the end of a zip file, which count its members


class _NpzFile(AbstractDataset[Any, Any]):
    holds: type[ImageSplit] | type[SequenceSplit] | type[Predictions] | None = (
        None  # what the arrays are of, if not a dict
    )

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None):
        self._filepath = PurePosixPath(filepath)
        self._protocol = "file"
        self.metadata = metadata

    def save(self, data: Any) -> None:
        arrays = data.arrays() if self.holds else data
        if any(isinstance(array, FileBackedArray) for array in arrays.values()):
            file_backed.write(Path(self._filepath), arrays)
            return
        with Path(self._filepath).open("wb") as file:
            np.savez(file, **arrays)

    def load(self) -> Any:
        _expect_all_members(Path(self._filepath))
        large = file_backed.large_members(Path(self._filepath))
        with Path(self._filepath).open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays: dict[str, Any] = {name: large[name] if name in large else archive[name] for name in archive.files}
        return self.holds.from_arrays(arrays) if self.holds else arrays

    def _kept(self, data: Any, written: Path, place: Path) -> Any:
        """Pixels that are stored are read from this file from now on, also when another run takes its place."""
        arrays = data.arrays() if self.holds else data
        large = {name for name, array in arrays.items() if isinstance(array, FileBackedArray)}
        if not large:
            return data
        arrays = arrays | file_backed.members(written, large, place)
        return self.holds.from_arrays(arrays) if self.holds else arrays

    def _exists(self) -> bool:
        return Path(self._filepath).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}


def _expect_all_members(path: Path) -> None:
    """Refuses what is no zip file, or lists fewer members than it counts: one wrong bit can hide a member."""
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        file.seek(-END_RECORD, io.SEEK_END)
        counted = int.from_bytes(file.read()[10:12], "little")
        if counted != len(archive.namelist()):
            raise zipfile.BadZipFile(f"{len(archive.namelist())} members where {counted} are counted")


class NpzDataset(Whole, _NpzFile):
    """Named arrays in an npz file; Kedro-Viz shows their names, types and shapes."""

    kind = "npz file"

    def preview(self) -> JSONPreview:
        """Name, dtype and shape of each array."""
        arrays = self.load().arrays() if self.holds else self.load()
        lines = (f'"{name}": "{array.dtype} {array.shape}"' for name, array in arrays.items())
        return JSONPreview("{" + ", ".join(lines) + "}")


class SequencesDataset(NpzDataset):
    """Sequences and labels in an npz file."""

    holds = SequenceSplit


class PredictionsDataset(NpzDataset):
    """Logits and labels in an npz file."""

    holds = Predictions


class ImagesDataset(Whole, _NpzFile):
    """Images and labels in an npz file; Kedro-Viz shows the first images."""

    kind = "npz file"
    holds = ImageSplit

    def preview(self) -> ImagePreview:
        """The first images under their labels."""
        from mnist_lstm.core.plots import image_grid

        part = self.load()
        labels = [str(label) for label in part.labels[:PREVIEWED]]
        title = f"{Path(self._filepath).stem}: the first {len(labels)} of {len(part):,} images"
        picture = io.BytesIO()
        image_grid(part.images[:PREVIEWED], labels, title).savefig(picture, format="png", dpi=80)
        return ImagePreview(base64.b64encode(picture.getvalue()).decode())
