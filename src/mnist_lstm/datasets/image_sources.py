"""The data sets that images can come from: named sources with mirrors, the bundled digits, and one's own files."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from kedro.io import AbstractDataset
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from mnist_lstm.core.data.bundled_digits import bundled_digits
from mnist_lstm.core.data.splits import Source, Splits
from mnist_lstm.datasets import forms, own_data
from mnist_lstm.datasets.download import RemoteFile, fetched
from mnist_lstm.datasets.forms.idx_files import images_in, labels_in
from mnist_lstm.datasets.forms.raw import RawData, RawSplit
from mnist_lstm.datasets.own_data import Named, assembled, sha256
from mnist_lstm.errors import UserError, listed, nearest
from mnist_lstm.parameters import DataParameters

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


class _Source(_Entry):
    """What all entries say.

    Attributes:
        title: what figures and reports call the data.
        mirrors: fsspec URLs of folders that hold the files, tried in order.
        class_names: of label 0 to K - 1; None: as the files name them.
        validation_images: how many of the first training images validate.
        transposed, dark_on_light: as the parameters of the same name, which override them.
    """

    title: str
    mirrors: list[str]
    class_names: list[str] | None = None
    validation_images: PositiveInt
    transposed: bool | None = None
    dark_on_light: bool | None = False

    def read(self, name: str, folder: Path, data: DataParameters) -> Splits:
        """Fetches what is missing, checks everything, and splits it."""
        mirrors = [data.mirror, *self.mirrors] if data.mirror else self.mirrors
        paths = {
            key: fetched(file.remote(FILES.get(key, key)), folder, mirrors, data.timeout)
            for key, file in self.entries().items()
        }
        hashes = {path.name: sha256(path) for path in paths.values()}
        said = {key: getattr(self, key) for key in ("transposed", "dark_on_light") if getattr(data, key) is None}
        named = Named(name, self.title, str(folder), self.class_names, self.validation_images)
        return assembled(self.raw(paths, data), data.model_copy(update=said), named, hashes)

    def entries(self) -> dict[str, FileEntry]:
        """The files by what they hold."""
        raise NotImplementedError

    def raw(self, paths: dict[str, Path], data: DataParameters) -> RawData:
        """The arrays in the files."""
        raise NotImplementedError


class IdxSource(_Source):
    """Four IDX files, as the catalog describes them."""

    files: FileEntries

    def entries(self) -> dict[str, FileEntry]:
        """Images and labels of both splits."""
        return dict(self.files)

    def raw(self, paths: dict[str, Path], data: DataParameters) -> RawData:
        """The arrays, whatever the names of the files."""
        parts = {
            split: RawSplit(images_in(paths[f"{split}_images"]), labels_in(paths[f"{split}_labels"]))
            for split in ("train", "test")
        }
        return RawData("IDX files", parts)


class ArchiveSource(_Source):
    """A zip file that holds several data sets, as the catalog describes it.

    Attributes:
        folder: of the zip file, which several sources may share; None: of the source's own name.
        archive: the zip file.
        subset: the word in the names of the files that are read.
    """

    folder: Annotated[str, Field(pattern=NAME)] | None = None
    archive: FileEntry
    subset: str

    def entries(self) -> dict[str, FileEntry]:
        """The zip file alone."""
        return {"archive": self.archive}

    def raw(self, paths: dict[str, Path], data: DataParameters) -> RawData:
        """What the zip file holds, recognised by its content."""
        return forms.read(paths["archive"], data.model_copy(update={"subset": self.subset}))


class Sources(Mapping[str, Source]):
    """Each source's name to the function that reads it; an unknown name is told with the nearest known one."""

    def __init__(self, readers: dict[str, Source]):
        self._readers = readers

    def __getitem__(self, name: str) -> Source:
        if name not in self._readers:
            raise UserError(
                f"parameter 'data.name' must be {listed(self)}, not {name!r}{nearest(name, self)}; the sources stand "
                "in conf/base/catalog.yml, and a file or folder of your own is named by data.path."
            )
        return self._readers[name]

    def __iter__(self) -> Any:
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)

    def of(self, data: DataParameters) -> Source:
        """The function that reads what the parameters name: a source, or a file or folder of one's own.

        Raises:
            UserError: if there is none.
        """
        if data.path is None:
            return self[data.name]
        if not Path(data.path).expanduser().exists():
            raise UserError(f"parameter 'data.path' must be a file or a folder, found none at {data.path!r}.")
        return own_data.read


class ImageSourcesDataset(AbstractDataset[None, Sources]):
    """The data sets to choose from; none is read before its function is called.

    Args:
        path: each source has its files in a folder of its own below it.
        idx: sources of four IDX files by name, each as `IdxSource` describes. "digits", those bundled with
            scikit-learn, is always there.
        archives: sources in a zip file by name, each as `ArchiveSource` describes.
        folders: of version 0.1, which the parameter `data.path` replaces.
    """

    def __init__(
        self,
        *,
        path: str,
        idx: dict[str, Any],
        archives: dict[str, Any] | None = None,
        folders: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ):
        if folders:
            raise UserError(
                f"folders of pictures are named by the parameter data.path, no longer in conf/base/catalog.yml; found "
                f"{listed(folders)} there: remove the block, and see docs/your-own-data.md."
            )
        self._folder = Path(path)
        self._sources = {
            name: _described(kind, name, source)
            for kind, sources in ((IdxSource, idx), (ArchiveSource, archives or {}))
            for name, source in sources.items()
        }
        if twice := set(idx) & set(archives or {}):
            raise UserError(f"a source has one name in conf/base/catalog.yml, found {listed(twice)} twice.")
        if outside := [name for name in self._sources if not re.match(NAME, name)]:
            raise UserError(
                f"a source in conf/base/catalog.yml must be named as a folder in {path} can be, found {outside[0]!r}."
            )
        self.metadata = metadata

    def load(self) -> Sources:
        readers: dict[str, Source] = {"digits": lambda data: bundled_digits()}
        for name, source in self._sources.items():
            readers[name] = partial(source.read, name, self._folder / (getattr(source, "folder", None) or name))
        return Sources(readers)

    def save(self, data: None) -> None:
        raise NotImplementedError("sources are read, never written")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._folder), "sources": ["digits", *self._sources]}


def _described(kind: type[IdxSource] | type[ArchiveSource], name: str, source: dict[str, Any]) -> _Source:
    try:
        return kind.model_validate(source)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, (name, *first["loc"])))
        raise UserError(
            f"source {where!r} in conf/base/catalog.yml: {first['msg']}, found {first['input']!r}."
        ) from None
