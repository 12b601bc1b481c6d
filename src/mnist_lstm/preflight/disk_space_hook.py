"""Checks before training that a run can write its results."""

import os
import shutil
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl

from mnist_lstm.errors import UserError

LEAST = 200 * 2**20  # bytes that must be free; MNIST alone, as images and as sequences, is 70,000 x 784 bytes twice


class CheckDiskSpace:
    """Checks the folders of all datasets that a pipeline will save."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Any, catalog: Any) -> None:
        """Checks that each folder is writable and its disk has room."""
        for folder in sorted({folder for name in pipeline.all_outputs() if (folder := _folder(catalog, name))}):
            expect_room(folder)


def expect_room(folder: Path) -> None:
    """Checks that files can be written below a folder, which need not exist yet.

    Raises:
        UserError: if it is not writable, or its disk has too little room.
    """
    place = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    if not (place.is_dir() and os.access(place, os.W_OK | os.X_OK)):
        raise UserError(f"{folder} must be a folder that can be written, found that {place} cannot; mend its rights.")
    free = shutil.disk_usage(place).free
    if free < LEAST:
        raise UserError(
            f"{folder} must have {LEAST // 2**20} MiB free for what a run writes, found {free // 2**20}; make room."
        )


def _folder(catalog: Any, name: str) -> Path | None:
    """The folder of a dataset's files; None if it has none on this machine."""
    dataset = catalog.get(name)
    if getattr(dataset, "_protocol", "file") != "file":
        return None
    file, folder = getattr(dataset, "_filepath", None), getattr(dataset, "_folder", None)
    return Path(file).parent if file else folder
