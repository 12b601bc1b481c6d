"""Checks before training that a run can write its results."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl

from mnist_lstm.errors import UserError

PACKAGE = f"{__name__.partition('.')[0]}."
LEAST = 200 * 2**20  # bytes that must be free; MNIST alone, as images and as sequences, is 70,000 x 784 bytes twice
LEAST_TEMPORARY = 32 * 2**20  # bytes for the exported model and the files of a run, on their way to MLflow


class CheckDiskSpace:
    """Checks the folders of all datasets that a pipeline will save."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Any, catalog: Any) -> None:
        """Checks that each folder, and that for temporary files, is writable and its disk has room."""
        places = [place for name in pipeline.all_outputs() if (place := _place(catalog, name))]
        for folder in sorted({folder for _, folder in places}):
            expect_room(folder, LEAST)
        for file, _ in places:
            if file and file.is_dir():
                raise UserError(f"{file} must be a file or free, found a folder; move it away.")
        expect_room(Path(tempfile.gettempdir()), LEAST_TEMPORARY, "; or choose another by TMPDIR")


def expect_room(folder: Path, least: int, otherwise: str = "") -> None:
    """Checks that files can be written below a folder, which need not exist yet, and `least` bytes are free there."""
    place = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    if place.is_symlink() and not place.exists():
        raise UserError(f"{place} must be a folder, found a link to {place.readlink()}, which is not there; mount it.")
    if not place.is_dir():
        raise UserError(f"{folder} must be a folder, found that {place} is a file; move it away.")
    if not os.access(place, os.W_OK | os.X_OK):
        raise UserError(f"{folder} must be a folder that can be written, found that {place} cannot; mend its rights.")
    free = shutil.disk_usage(place).free
    if free < least:
        raise UserError(
            f"{folder} must have {least // 2**20} MiB free for what a run writes, found {free // 2**20}; make room"
            f"{otherwise}."
        )


def _place(catalog: Any, name: str) -> tuple[Path | None, Path] | None:
    """The file of a dataset of this package, and the folder of its files; None if it has none on this machine."""
    dataset = catalog.get(name)
    if getattr(dataset, "_protocol", "file") != "file":
        return None
    file, folder = getattr(dataset, "_filepath", None), getattr(dataset, "_folder", None)
    if file:  # those of other packages may be folders, and versioned ones are
        return Path(file) if type(dataset).__module__.startswith(PACKAGE) else None, Path(file).parent
    return (None, folder) if folder else None
