"""The data sets that images can come from: named sources with mirrors, the bundled digits, and one's own files."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, PositiveInt, ValidationError

from mnist_lstm.core.data.bundled_digits import bundled_digits
from mnist_lstm.core.data.splits import Source, SourceOf, Splits
from mnist_lstm.data_parameters import DataParameters
from mnist_lstm.datasets import forms, own_data
from mnist_lstm.datasets.download import NAME, RemoteFile, fetched
from mnist_lstm.datasets.forms.idx_files import images_in, labels_in
from mnist_lstm.datasets.forms.numpy_files import arrays_in
from mnist_lstm.datasets.forms.raw import RawData, RawSplit
from mnist_lstm.errors import UserError, listed, nearest
from mnist_lstm.read_only import ReadOnlyDataset

# What MNIST and those made after it call their four files
FILES = {
    "train_images": "train-images-idx3-ubyte.gz",
    "train_labels": "train-labels-idx1-ubyte.gz",
    "test_images": "t10k-images-idx3-ubyte.gz",
    "test_labels": "t10k-labels-idx1-ubyte.gz",
}


class FourFiles(BaseModel, extra="forbid", frozen=True):
    """The files of a source."""

    train_images: RemoteFile
    train_labels: RemoteFile
    test_images: RemoteFile
    test_labels: RemoteFile


class NamedSource(BaseModel, extra="forbid", frozen=True):
    """What all entries say."""

    title: str  # what figures and reports call the data
    mirrors: list[str]  # fsspec URLs of folders that hold the files, tried in order
    class_names: list[str] | None = None  # of label 0 to K - 1; None: as the files name them
    validation_images: PositiveInt  # how many of the first training images validate
    transposed: bool | None = None  # as the parameter of the same name, for files of one's own
    dark_on_light: bool | None = False  # likewise


class IdxSource(NamedSource, frozen=True):
    """Four IDX or npz files, as the catalog describes them."""

    files: FourFiles


class ArchiveSource(NamedSource, frozen=True):
    """A zip file that holds several data sets, as the catalog describes it."""

    # Of the zip file, which several sources may share; None: of the source's own name
    folder: Annotated[str, Field(pattern=NAME)] | None = None
    archive: RemoteFile
    subset: str  # the word in the names of the files that are read


class ImageSourcesDataset(ReadOnlyDataset[SourceOf]):
    """Loads the function that gives the source which the parameters name; none is read before it is called.

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
        super().__init__(path=path, metadata=metadata)
        archives = archives or {}
        if twice := set(idx) & set(archives):
            raise UserError(f"a source has one name in conf/base/catalog.yml, found {listed(twice)} twice.")
        if outside := [name for name in (*idx, *archives) if not re.match(NAME, name)]:
            raise UserError(
                f"a source in conf/base/catalog.yml must be named as a folder in {path} can be, found {outside[0]!r}."
            )
        self.sources: dict[str, Source] = {"digits": lambda data: bundled_digits()}
        for kind, entries in ((IdxSource, idx), (ArchiveSource, archives)):
            self.sources |= {
                name: partial(read, _described(kind, name, each), name, Path(path)) for name, each in entries.items()
            }

    def load(self) -> SourceOf:
        return self.source_of

    def source_of(self, data: DataParameters) -> Source:
        """The function that reads what the parameters name: a source, or a file or folder of one's own.

        Raises:
            UserError: if there is none; the error about an unknown name has the nearest known one.
        """
        if data.path is not None:
            if not (place := Path(data.path).expanduser().absolute()).exists():
                raise UserError(f"parameter 'data.path' must be a file or a folder, found none at '{place}'.")
            return own_data.read
        if data.name not in self.sources:
            raise UserError(
                f"parameter 'data.name' must be {listed(self.sources)}, not {data.name!r}"
                f"{nearest(data.name, self.sources)}; the sources stand in conf/base/catalog.yml, and a file or folder "
                "of your own is named by data.path."
            )
        return self.sources[data.name]

    def _describe(self) -> dict[str, Any]:
        return super()._describe() | {"sources": [*self.sources]}


def read(source: IdxSource | ArchiveSource, name: str, place: Path, data: DataParameters) -> Splits:
    """Fetches what is missing of a source, checks everything, and splits it.

    Args:
        place: folder of all sources' folders.
    """
    if isinstance(source, IdxSource):
        folder, files = place / name, dict(source.files)
    else:
        folder, files = place / (source.folder or name), {"archive": source.archive}
    mirrors = [data.mirror, *source.mirrors] if data.mirror else source.mirrors
    paths = {
        key: fetched(file.called(FILES.get(key, key)), folder, mirrors, data.timeout) for key, file in files.items()
    }
    hashes = {path.name: own_data.sha256(path) for path in paths.values()}
    if isinstance(source, IdxSource):
        raw = _raw(paths)
    else:
        raw = forms.read(paths["archive"], data.model_copy(update={"subset": source.subset}))
    said = data.model_copy(update={"transposed": source.transposed, "dark_on_light": source.dark_on_light})
    named = own_data.Named(name, source.title, str(folder), source.class_names, source.validation_images)
    return own_data.assembled(raw, said, named, hashes)


def _raw(paths: dict[str, Path]) -> RawData:
    """The arrays in the four files, whatever their names."""
    parts = {
        split: RawSplit(_array(paths[f"{split}_images"], images_in), _array(paths[f"{split}_labels"], labels_in))
        for split in ("train", "test")
    }
    form = "numpy arrays" if paths["train_images"].suffix == ".npz" else "IDX files"
    return RawData(form, parts, transposed=False)


def _array(path: Path, of_idx: Callable[[Path], Any]) -> Any:
    """The array in an IDX file, or the only one in an npz file."""
    return next(iter(arrays_in(path).values())) if path.suffix == ".npz" else of_idx(path)


def _described(
    kind: type[IdxSource] | type[ArchiveSource], name: str, entry: dict[str, Any]
) -> IdxSource | ArchiveSource:
    """The checked entry of a source; the error names the wrong key in one line."""
    try:
        return kind.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, (name, *first["loc"])))
        raise UserError(
            f"source {where!r} in conf/base/catalog.yml: {first['msg']}, found {first['input']!r}."
        ) from None
