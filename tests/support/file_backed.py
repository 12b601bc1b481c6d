"""Data sets whose pixels lie in a file, whatever their size."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from mnist_lstm.core.data.file_backed import FileBackedArray
from mnist_lstm.core.data.splits import ImageSplit
from mnist_lstm.datasets.file_backed import FileReader


def on_disk(array: Any, path: Path) -> FileBackedArray:
    """The array in a file, behind three other bytes."""
    path.write_bytes(b"abc" + array.tobytes())
    return FileBackedArray(FileReader(path), 3, array.shape)


def part_on_disk(part: ImageSplit, folder: Path) -> ImageSplit:
    """The same part with its pixels in a file."""
    return replace(part, images=on_disk(part.images, folder / f"images-{len(part)}"))
