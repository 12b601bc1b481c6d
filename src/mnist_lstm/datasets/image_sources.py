"""The data sets that images can come from: named sources with mirrors, the bundled digits, and one's own files."""

import re
from functools import partial
from pathlib import Path
from typing import Any

from mnist_lstm.core.data.bundled_digits import bundled_digits
from mnist_lstm.core.data.splits import Source
from mnist_lstm.data_parameters import DataParameters
from mnist_lstm.datasets import own_data
from mnist_lstm.datasets.named_sources import FILES, NAME, ArchiveSource, IdxSource, described
from mnist_lstm.errors import UserError, listed, nearest
from mnist_lstm.read_only import ReadOnlyDataset

__all__ = ["FILES", "ImageSourcesDataset", "Sources"]


class Sources(dict[str, Source]):
    """Each source's name to the function that reads it; the error about an unknown name has the nearest known one."""

    def __missing__(self, name: str) -> Source:
        raise UserError(
            f"parameter 'data.name' must be {listed(self)}, not {name!r}{nearest(name, self)}; the sources stand "
            "in conf/base/catalog.yml, and a file or folder of your own is named by data.path."
        )

    def of(self, data: DataParameters) -> Source:
        """The function that reads what the parameters name: a source, or a file or folder of one's own.

        Raises:
            UserError: if there is none.
        """
        if data.path is None:
            return self[data.name]
        if not (place := Path(data.path).expanduser().absolute()).exists():
            raise UserError(f"parameter 'data.path' must be a file or a folder, found none at '{place}'.")
        return own_data.read


class ImageSourcesDataset(ReadOnlyDataset[Sources]):
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
        super().__init__(path=path, metadata=metadata)
        self._sources = {
            name: described(kind, name, source)
            for kind, sources in ((IdxSource, idx), (ArchiveSource, archives or {}))
            for name, source in sources.items()
        }
        if twice := set(idx) & set(archives or {}):
            raise UserError(f"a source has one name in conf/base/catalog.yml, found {listed(twice)} twice.")
        if outside := [name for name in self._sources if not re.match(NAME, name)]:
            raise UserError(
                f"a source in conf/base/catalog.yml must be named as a folder in {path} can be, found {outside[0]!r}."
            )

    def load(self) -> Sources:
        readers: dict[str, Source] = {"digits": lambda data: bundled_digits()}
        for name, source in self._sources.items():
            readers[name] = partial(source.read, name, self._path / (getattr(source, "folder", None) or name))
        return Sources(readers)

    def _describe(self) -> dict[str, Any]:
        return super()._describe() | {"sources": ["digits", *self._sources]}
