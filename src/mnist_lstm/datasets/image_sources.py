"""The data sets that images can come from: IDX files with mirrors, folders of pictures, and the bundled digits."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from kedro.io import AbstractDataset
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from mnist_lstm.core.data.bundled_digits import bundled_digits
from mnist_lstm.core.data.splits import (
    ImageSplit,
    Source,
    Splits,
    data_card,
    expect_one_size,
    first_images,
    images_and_labels,
)
from mnist_lstm.datasets.download import RemoteFile, fetched
from mnist_lstm.datasets.file_backed import array_in
from mnist_lstm.datasets.image_folders import FolderSource
from mnist_lstm.errors import UserError, listed, nearest

# What MNIST and those made after it call their four files
FILES = {
    "train_images": "train-images-idx3-ubyte.gz",
    "train_labels": "train-labels-idx1-ubyte.gz",
    "test_images": "t10k-images-idx3-ubyte.gz",
    "test_labels": "t10k-labels-idx1-ubyte.gz",
}


NAME = r"^\w[^/\\]*$"  # of a file or a folder in one that the project chose: no path that leaves it


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileEntry(_Entry):
    """One of the files: its checksum, and where they are known its size and another name than MNIST's."""

    checksum: Annotated[str, Field(pattern=r"^(sha256:[0-9a-f]{64}|md5:[0-9a-f]{32})$")]
    bytes: PositiveInt | None = None
    name: Annotated[str, Field(pattern=NAME)] | None = None


class FileEntries(_Entry):
    """The four files of a source."""

    train_images: FileEntry
    train_labels: FileEntry
    test_images: FileEntry
    test_labels: FileEntry


class IdxSource(_Entry):
    """Four IDX files, as the catalog describes them.

    Attributes:
        title: what figures and reports call the data.
        mirrors: fsspec URLs of folders that hold the files, tried in order.
        class_names: of label 0 to K - 1.
        validation_images: how many of the first training images validate.
        files: the four files.
    """

    title: str
    mirrors: list[str]
    class_names: list[str]
    validation_images: PositiveInt
    files: FileEntries

    def read(self, name: str, folder: Path, mirror: str | None, timeout: float) -> Splits:
        """Fetches what is missing, checks everything, and splits it."""
        mirrors = [mirror, *self.mirrors] if mirror else self.mirrors
        paths = {
            key: fetched(RemoteFile(file.name or FILES[key], file.checksum, file.bytes), folder, mirrors, timeout)
            for key, file in self.files
        }

        def part(split: str) -> ImageSplit:
            images, labels = (array_in(paths[f"{split}_{kind}"]) for kind in ("images", "labels"))
            return images_and_labels(images, labels, len(self.class_names), f"{folder} ({split})")

        valid, train = first_images(part("train"), self.validation_images, name)
        parts = {"train": train, "valid": valid, "test": part("test")}
        expect_one_size(parts, str(folder))
        hashes = {paths[key].name: _sha256(paths[key], file.checksum) for key, file in self.files}
        return Splits(**parts, card=data_card(name, self.title, parts, self.class_names, hashes))


Described = IdxSource | FolderSource


class Sources(Mapping[str, Source]):
    """Each source's name to the function that reads it; an unknown name is told with the nearest known one."""

    def __init__(self, readers: dict[str, Source]):
        self._readers = readers

    def __getitem__(self, name: str) -> Source:
        if name not in self._readers:
            raise UserError(
                f"parameter 'data.name' must be {listed(self)}, not {name!r}{nearest(name, self)}; "
                "the sources stand in conf/base/catalog.yml."
            )
        return self._readers[name]

    def __iter__(self) -> Any:
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)


class ImageSourcesDataset(AbstractDataset[None, Sources]):
    """The data sets to choose from; none is read before its function is called.

    Args:
        path: each source has its files in a folder of its own below it.
        idx: sources of four IDX files by name, each as `IdxSource` describes. "digits", those bundled with
            scikit-learn, is always there.
        folders: sources of a folder of pictures for each class by name, each as `FolderSource` describes.
    """

    def __init__(
        self,
        *,
        path: str,
        idx: dict[str, Any],
        folders: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ):
        self._folder = Path(path)
        self._sources = {
            name: _described(kind, name, source)
            for kind, sources in ((IdxSource, idx), (FolderSource, folders or {}))
            for name, source in sources.items()
        }
        if twice := set(idx) & set(folders or {}):
            raise UserError(f"a source has one name in conf/base/catalog.yml, found {listed(twice)} twice.")
        if outside := [name for name in self._sources if not re.match(NAME, name)]:
            raise UserError(
                f"a source in conf/base/catalog.yml must be named as a folder in {path} can be, found {outside[0]!r}."
            )
        self.metadata = metadata

    def load(self) -> Sources:
        readers: dict[str, Source] = {"digits": lambda mirror, timeout: bundled_digits()}
        for name, source in self._sources.items():
            readers[name] = lambda mirror, timeout, name=name, source=source: source.read(  # type: ignore[misc]
                name, self._folder / name, mirror, timeout
            )
        return Sources(readers)

    def save(self, data: None) -> None:
        raise NotImplementedError("sources are read, never written")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._folder), "sources": ["digits", *self._sources]}


def _sha256(path: Path, checksum: str) -> str:
    """Of a file that has been found to have this checksum."""
    if checksum.startswith("sha256:"):
        return checksum.removeprefix("sha256:")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _described(kind: type[IdxSource] | type[FolderSource], name: str, source: dict[str, Any]) -> Described:
    try:
        return kind.model_validate(source)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, (name, *first["loc"])))
        raise UserError(
            f"source {where!r} in conf/base/catalog.yml: {first['msg']}, found {first['input']!r}."
        ) from None
