"""Named numpy arrays in one npz file, without pickle."""

import base64
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from kedro_datasets._typing import ImagePreview, JSONPreview

from mnist_lstm.core.data.file_backed import FileBackedArray
from mnist_lstm.core.data.sequences import SequenceSplit
from mnist_lstm.core.data.splits import ImageSplit
from mnist_lstm.core.evaluation.metrics import Predictions
from mnist_lstm.core.training.snapshots import Snapshots
from mnist_lstm.datasets import file_backed
from mnist_lstm.datasets.file_dataset import FileDataset

PREVIEWED = 30  # images in a preview
END_RECORD = 22  # bytes at the end of a zip file, with the number of its members


class NpzDataset(FileDataset):
    """A dict of arrays; pixels that are larger than memory are streamed and stay in the file.

    Subclasses set `holds`, a type with `arrays` and `from_arrays`. Kedro-Viz shows names, types and shapes.
    """

    kind = "npz file"
    holds: type[ImageSplit] | type[SequenceSplit] | type[Predictions] | type[Snapshots] | None = None

    def _write(self, data: Any, path: Path) -> None:
        arrays = self._arrays(data)
        if _in_files(arrays):
            file_backed.write(path, arrays)
        else:
            with path.open("wb") as file:  # a path without the suffix .npz would get one
                np.savez(file, **arrays)

    def _read(self, path: Path) -> Any:
        _expect_all_members(path)
        large = file_backed.large_members(path)
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return self._data({name: large[name] if name in large else archive[name] for name in archive.files})

    def _loaded_after(self, data: Any, written: Path) -> Any:
        """Pixels outside memory are read from the new file, also when another run replaces it."""
        arrays = self._arrays(data)
        if not (large := _in_files(arrays)):
            return data
        return self._data(arrays | file_backed.members(written, large, self._filepath))

    def _arrays(self, data: Any) -> dict[str, Any]:
        return data.arrays() if self.holds else data  # type: ignore[no-any-return]

    def _data(self, arrays: dict[str, Any]) -> Any:
        return self.holds.from_arrays(arrays) if self.holds else arrays

    def preview(self) -> JSONPreview:
        """Name, dtype and shape of each array."""
        arrays = self._arrays(self.load())
        return JSONPreview(json.dumps({name: f"{array.dtype} {array.shape}" for name, array in arrays.items()}))


class SequencesDataset(NpzDataset):
    """Sequences and labels."""

    holds = SequenceSplit


class PredictionsDataset(NpzDataset):
    """Logits and labels."""

    holds = Predictions


class SnapshotsDataset(NpzDataset):
    """Snapshots of a training; a resumed one keeps those of the interrupted run. Without a file there are none."""

    holds = Snapshots

    def save(self, data: Snapshots) -> None:
        if data.holds_no_more_than(self._saved):
            return  # nothing is new since the last report
        super().save(data if 0 in data.weights else data.continuing(self.load()))

    def load(self) -> Snapshots:
        return super().load() if self._filepath.exists() else Snapshots("", {})

    def _exists(self) -> bool:
        return True  # an older version left no file


class ImagesDataset(NpzDataset):
    """Images and labels; Kedro-Viz shows the first images."""

    holds = ImageSplit

    def preview(self) -> ImagePreview:
        """The first images with their labels."""
        from mnist_lstm.core.plots.images import image_grid

        part = self.load()
        labels = [str(label) for label in part.labels[:PREVIEWED]]
        title = f"{self._filepath.stem}: the first {len(labels)} of {len(part):,} images"
        picture = io.BytesIO()
        image_grid(part.images[:PREVIEWED], labels, title).savefig(picture, format="png", dpi=80)
        return ImagePreview(base64.b64encode(picture.getvalue()).decode())


def _in_files(arrays: dict[str, Any]) -> list[str]:
    """The names of the arrays that are larger than memory."""
    return [name for name, array in arrays.items() if isinstance(array, FileBackedArray)]


def _expect_all_members(path: Path) -> None:
    """Compares the number of members with the end record, because one wrong bit can hide a member.

    Raises:
        zipfile.BadZipFile: if they differ, or the file is no zip file.
    """
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        file.seek(-END_RECORD, io.SEEK_END)
        counted = int.from_bytes(file.read()[10:12], "little")
        if counted != len(archive.namelist()):
            raise zipfile.BadZipFile(f"{len(archive.namelist())} members where {counted} are counted")
