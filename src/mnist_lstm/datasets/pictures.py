"""A user's pictures: the files of a folder, read one at a time."""

import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from mnist_lstm.core.data import idx
from mnist_lstm.core.inference.decode import PictureError
from mnist_lstm.core.inference.predict import Content, Open
from mnist_lstm.datasets import forms
from mnist_lstm.datasets.forms.raw import ignored
from mnist_lstm.errors import UserError
from mnist_lstm.read_only import ReadOnlyDataset

HEADER = 512  # bytes that tell the kind of a file
IDX = (b"\0\0\x08\x01", b"\0\0\x08\x03")  # of files of bytes, as MNIST's
IDX_IMAGES = 1000  # read at a time
MOST_BYTES = 2**28  # of a picture's file


class PicturesDataset(ReadOnlyDataset[Open]):
    """Loads a function that opens the folder of the parameter `predict.folder`.

    The function yields the name and content of each file, sorted by name: the bytes of a picture, the images of an IDX
    file, or the reason why the file cannot be read. Hidden files are left out.
    """

    def load(self) -> Open:
        return opened


def opened(named: str | None, kind: str = "images") -> Iterator[tuple[str, Content]]:
    """Yields the name and content of each file below the folder `named`, or of the one file, for a model of `kind`.

    Raises:
        UserError: if no folder is named, there is none, or it holds no file.
    """
    if named is None:
        raise UserError("parameter 'predict.folder' must name a folder of pictures: --params predict.folder=PATH.")
    place = Path(named).expanduser()
    if place.is_file():
        return _contents(place.parent, [place.name], kind)
    if not place.is_dir():
        raise UserError(f"parameter 'predict.folder' must be a folder of pictures or an IDX file, found no {named!r}.")
    names = _names(place)
    if not names:
        raise UserError(f"the folder {named!r} (parameter 'predict.folder') must hold pictures, found no file.")
    return _contents(place, names, kind)


def _names(folder: Path) -> list[str]:
    """Sorted relative paths, with forward slashes, of all files that are not hidden, and of folders not entered."""
    found: list[Path] = []

    def not_entered(error: OSError) -> None:
        found.append(Path(error.filename))

    for here, folders, files in os.walk(folder, onerror=not_entered):
        folders[:] = [name for name in folders if not ignored(name)]
        links = [name for name in folders if Path(here, name).is_symlink()]
        found += [Path(here, name) for name in [*files, *links] if not ignored(name)]
    return sorted(path.relative_to(folder).as_posix() for path in found if path != folder)


def _contents(folder: Path, names: list[str], kind: str) -> Iterator[tuple[str, Content]]:
    for name in names:
        try:
            yield from _content(folder / name, name, kind)
        except OSError as error:
            yield name, PictureError(f"cannot be read: {error.strerror}")
        except UserError as error:
            yield name, PictureError(str(error))


def _content(path: Path, name: str, kind: str) -> Iterator[tuple[str, Content]]:
    """What is in a regular file; several images in one are named by position: "t10k-images-idx3-ubyte.gz[7]"."""
    if path.is_dir():
        linked = path.is_symlink()
        raise PictureError("a link to a folder: name that folder" if linked else "a folder that cannot be read")
    if not path.is_file():
        raise PictureError("neither a file nor a folder" if path.exists() else "a link to nothing")
    with path.open("rb") as file:
        if idx.magic_in(file.read(HEADER)) in IDX:
            file.seek(0)
            images = chain.from_iterable(idx.images_in(file, "the IDX file", IDX_IMAGES))
            yield from ((f"{name}[{at}]", image) for at, image in enumerate(images))
            return
    if forms.recognised(path):
        yield from ((f"{name}[{at}]", each) for at, each in enumerate(forms.to_predict(path, kind)))
        return
    if (size := path.stat().st_size) > MOST_BYTES:
        raise PictureError(f"{size} bytes, more than {MOST_BYTES}")
    yield name, path.read_bytes()
