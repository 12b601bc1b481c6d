"""Named data sets as the catalog describes them: their files, mirrors and checksums."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from mnist_lstm.core.data.splits import Splits
from mnist_lstm.data_parameters import DataParameters
from mnist_lstm.datasets import forms
from mnist_lstm.datasets.download import RemoteFile, fetched
from mnist_lstm.datasets.forms import numpy_files
from mnist_lstm.datasets.forms.idx_files import images_in, labels_in
from mnist_lstm.datasets.forms.raw import RawData, RawSplit
from mnist_lstm.datasets.own_data import Named, assembled, sha256
from mnist_lstm.errors import UserError

# What MNIST and those made after it call their four files
FILES = {
    "train_images": "train-images-idx3-ubyte.gz",
    "train_labels": "train-labels-idx1-ubyte.gz",
    "test_images": "t10k-images-idx3-ubyte.gz",
    "test_labels": "t10k-labels-idx1-ubyte.gz",
}

NAME = r"^\w[^/\\]*$"  # of a file or a folder in one that the project chose: no path that leaves it


Checksum = Annotated[str, Field(pattern=r"^(sha256:[0-9a-f]{64}|md5:[0-9a-f]{32})$")]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileEntry(_Entry):
    """One of the files: checksum, and where they are known size, checksum of the content, another name."""

    checksum: Checksum
    bytes: PositiveInt | None = None
    unpacked: Checksum | None = None
    name: Annotated[str, Field(pattern=NAME)] | None = None

    def remote(self, usual: str) -> RemoteFile:
        """The file under its own name or the usual one."""
        return RemoteFile(self.name or usual, self.checksum, self.bytes, self.unpacked)


class FileEntries(_Entry):
    """The four files of a source."""

    train_images: FileEntry
    train_labels: FileEntry
    test_images: FileEntry
    test_labels: FileEntry


class NamedSource(_Entry):
    """What all entries say."""

    title: str  # what figures and reports call the data
    mirrors: list[str]  # fsspec URLs of folders that hold the files, tried in order
    class_names: list[str] | None = None  # of label 0 to K - 1; None: as the files name them
    validation_images: PositiveInt  # how many of the first training images validate
    transposed: bool | None = None  # as the parameter of the same name, for files of one's own
    dark_on_light: bool | None = False  # likewise

    def read(self, name: str, folder: Path, data: DataParameters) -> Splits:
        """Fetches what is missing, checks everything, and splits it."""
        mirrors = [data.mirror, *self.mirrors] if data.mirror else self.mirrors
        paths = {
            key: fetched(file.remote(FILES.get(key, key)), folder, mirrors, data.timeout)
            for key, file in self.entries().items()
        }
        hashes = {path.name: sha256(path) for path in paths.values()}
        said = {"transposed": self.transposed, "dark_on_light": self.dark_on_light}
        named = Named(name, self.title, str(folder), self.class_names, self.validation_images)
        return assembled(self.raw(paths, data), data.model_copy(update=said), named, hashes)

    def entries(self) -> dict[str, FileEntry]:
        """The files by what they hold."""
        raise NotImplementedError

    def raw(self, paths: dict[str, Path], data: DataParameters) -> RawData:
        """The arrays in the files."""
        raise NotImplementedError


class IdxSource(NamedSource):
    """Four IDX or npz files, as the catalog describes them."""

    files: FileEntries

    def entries(self) -> dict[str, FileEntry]:
        """Images and labels of both splits."""
        return dict(self.files)

    def raw(self, paths: dict[str, Path], data: DataParameters) -> RawData:
        """The arrays, whatever the names of the files."""
        parts = {
            split: RawSplit(
                _array(paths[f"{split}_images"], images_in), np.ravel(_array(paths[f"{split}_labels"], labels_in))
            )
            for split in ("train", "test")
        }
        form = "numpy arrays" if paths["train_images"].suffix == ".npz" else "IDX files"
        return RawData(form, parts, transposed=False)


def _array(path: Path, of_idx: Callable[[Path], Any]) -> Any:
    """The array in an IDX file, or the only one in an npz file."""
    return next(iter(numpy_files.arrays_in(path).values())) if path.suffix == ".npz" else of_idx(path)


class ArchiveSource(NamedSource):
    """A zip file that holds several data sets, as the catalog describes it."""

    # Of the zip file, which several sources may share; None: of the source's own name
    folder: Annotated[str, Field(pattern=NAME)] | None = None
    archive: FileEntry  # the zip file
    subset: str  # the word in the names of the files that are read

    def entries(self) -> dict[str, FileEntry]:
        """The zip file alone."""
        return {"archive": self.archive}

    def raw(self, paths: dict[str, Path], data: DataParameters) -> RawData:
        """What the zip file holds, recognised by its content."""
        return forms.read(paths["archive"], data.model_copy(update={"subset": self.subset}))


def described(kind: type[IdxSource] | type[ArchiveSource], name: str, source: dict[str, Any]) -> NamedSource:
    """The checked entry of a source.

    Raises:
        UserError: one line that names the wrong key.
    """
    try:
        return kind.model_validate(source)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, (name, *first["loc"])))
        raise UserError(
            f"source {where!r} in conf/base/catalog.yml: {first['msg']}, found {first['input']!r}."
        ) from None
