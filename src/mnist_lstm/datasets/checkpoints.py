"""Checkpoints by fingerprint, and the exported model."""

import io
import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from kedro.io import AbstractDataset
from kedro_datasets._typing import JSONPreview

from mnist_lstm.core.model.export import ExportedModel
from mnist_lstm.core.model.tracing import shapes_of_complete_layers
from mnist_lstm.core.training import checkpoint
from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.datasets.atomic import atomic_write
from mnist_lstm.datasets.file_dataset import FileDataset
from mnist_lstm.errors import UserError
from mnist_lstm.read_only import ReadOnlyDataset


class CheckpointDataset(AbstractDataset[Checkpoint, Checkpoint]):
    """The checkpoint of this run, in a file of its own in the folder `path`.

    The file's name is the run's fingerprint, so concurrent runs do not overwrite each other's file. It loads what this
    run saved, else the newest checkpoint.
    """

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None):
        self._folder = Path(path)
        self._saved: Checkpoint | None = None
        self.metadata = metadata

    def save(self, data: Checkpoint) -> None:
        atomic_write(self._folder / f"{data.fingerprint}.pt", checkpoint.to_bytes(data))
        self._saved = data

    def load(self) -> Checkpoint:
        if self._saved is not None:
            return self._saved
        files = _newest_first(self._folder)
        if not files:
            raise UserError(f"{self._folder} must hold a checkpoint (*.pt), found none; train first: `kedro run`.")
        return checkpoint.from_file(files[0])

    def _exists(self) -> bool:
        return bool(_newest_first(self._folder))

    def _release(self) -> None:
        self._saved = None

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._folder)}

    def preview(self) -> JSONPreview:
        """Update, data and fingerprint fields of the newest checkpoint."""
        newest = self.load()
        about = {
            "iteration": newest.state.iteration,
            "data": asdict(newest.data),
            "identity": newest.fingerprint_fields,
        }
        return JSONPreview(json.dumps(about))


class InterruptedDataset(ReadOnlyDataset[Mapping[str, Callable[[], Checkpoint]]]):
    """The checkpoints in a folder, newest first: a mapping of fingerprints to functions that read the file."""

    def load(self) -> Mapping[str, Callable[[], Checkpoint]]:
        return {path.stem: lambda path=path: checkpoint.from_file(path) for path in _newest_first(self._path)}  # type: ignore[misc]


class ExportedModelDataset(FileDataset):
    """A classifier of raw images as torch's pt2 file: uint8 images (N, height, width) to probabilities (N, K).

    The file loads without this package and without pickle.
    """

    kind = "exported model"
    remedy = "export it again: `kedro run --nodes export`"

    def encode(self, data: ExportedModel) -> bytes:
        with warnings.catch_warnings(), torch.no_grad(), shapes_of_complete_layers():  # a tenth of the time
            warnings.filterwarnings("ignore", "The tensor attributes .*_flat_weights", UserWarning)
            exported = torch.export.export(
                data.classifier.eval(),
                (torch.from_numpy(data.examples),),
                dynamic_shapes=({0: torch.export.Dim("images", min=1)},),
            )
        buffer = io.BytesIO()
        torch.export.save(exported, buffer)
        return buffer.getvalue()

    def decode(self, content: bytes) -> torch.nn.Module:
        checkpoint.check_every_byte(content)
        return torch.export.load(io.BytesIO(content)).module()


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("[!.]*.pt"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
