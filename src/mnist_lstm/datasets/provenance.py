"""Where this run comes from, as a dataset to read: so that the node that reports it stays a pure function."""

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset

from mnist_lstm import provenance


class ProvenanceDataset(AbstractDataset[NoReturn, dict[str, Any]]):
    """The command of this process, the code, the environment and the hardware; read anew at each load.

    Args:
        path: the project's root.
    """

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None):
        self._project = Path(path)
        self.metadata = metadata

    def load(self) -> dict[str, Any]:
        return {
            "command": provenance.command_line(),
            "git": provenance.code(self._project),
            "environment": provenance.environment(self._project),
            "hardware": provenance.hardware(),
        }

    def save(self, data: NoReturn) -> None:
        raise NotImplementedError("provenance is read, never written")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._project)}
