"""A user's pictures: the files of a folder, read one at a time."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from mnist_lstm.core.data import idx
from mnist_lstm.core.inference.decode import PictureError
from mnist_lstm.core.inference.predict import Content, Open
from mnist_lstm.errors import UserError

IDX_NAMES = ("idx3-ubyte", "idx3-ubyte.gz")
IDX_IMAGES = 1000  # read at a time
MOST_BYTES = 2**28  # of a picture's file


class PicturesDataset(AbstractDataset[None, Open]):
    """Loads a function that opens the folder of the parameter `predict.folder`.

    The function yields the name and content of each file, sorted by name: the bytes of a picture, the images of an IDX
    file, or the reason why the file cannot be read. Hidden files are left out.
    """

    def __init__(self, *, metadata: dict[str, Any] | None = None):
        self.metadata = metadata

    def load(self) -> Open:
        return opened

    def save(self, data: None) -> None:
        raise NotImplementedError("pictures are read, never written")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {}


def opened(named: str | None) -> Iterator[tuple[str, Content]]:
    """Yields the name and content of each file in the folder and its subfolders, or of the one file.

    Raises:
        UserError: if no folder is named, there is none, or it holds no file.
    """
    if named is None:
        raise UserError("parameter 'predict.folder' must name a folder of pictures: --params predict.folder=PATH.")
    place = Path(named).expanduser()
    if place.is_file():
        return _contents(place.parent, [place.name])
    if not place.is_dir():
        raise UserError(f"parameter 'predict.folder' must be a folder of pictures or an IDX file, found no {named!r}.")
    names = _names(place)
    if not names:
        raise UserError(f"the folder {named!r} (parameter 'predict.folder') must hold pictures, found no file.")
    return _contents(place, names)


def _names(folder: Path) -> list[str]:
    """Sorted relative paths, with forward slashes, of all files that are not hidden."""
    found = []
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = (Path(here, name) for name in files if not name.startswith("."))
        found += [path.relative_to(folder).as_posix() for path in paths]
    return sorted(found)


def _contents(folder: Path, names: list[str]) -> Iterator[tuple[str, Content]]:
    for name in names:
        path = folder / name
        try:
            if name.endswith(IDX_NAMES):
                yield from _idx_images(path, name)
            elif not path.is_file():
                yield name, PictureError("no file" if path.exists() else "a link to nothing")
            elif path.stat().st_size > MOST_BYTES:
                yield name, PictureError(f"{path.stat().st_size} bytes, more than {MOST_BYTES}")
            else:
                yield name, path.read_bytes()
        except OSError as error:
            yield name, PictureError(f"cannot be read: {error.strerror}")
        except UserError as error:
            yield name, PictureError(str(error))


def _idx_images(path: Path, name: str) -> Iterator[tuple[str, Content]]:
    """The images of an IDX file, named by position: "t10k-images-idx3-ubyte.gz[7]"."""
    with path.open("rb") as file:
        position = 0
        for images in idx.images_in(file, "the IDX file", IDX_IMAGES):
            for image in images:
                yield f"{name}[{position}]", image
                position += 1
