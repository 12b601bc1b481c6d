"""The base of catalog entries that are read and never written."""

from pathlib import Path
from typing import Any, TypeVar

from kedro.io import AbstractDataset

Loaded = TypeVar("Loaded")


class ReadOnlyDataset(AbstractDataset[None, Loaded]):
    """An entry that can always be loaded, as it makes what it loads or looks for it then; subclasses define `load`.

    Args:
        path: where it looks: the project's root or a folder.
    """

    def __init__(self, *, path: str = ".", metadata: dict[str, Any] | None = None):
        self._path = Path(path)
        self.metadata = metadata

    def save(self, data: None) -> None:
        """Refuses, as nothing writes such an entry."""
        raise NotImplementedError(f"{type(self).__name__} is read, never written")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path)}
