"""Where this run comes from, as a dataset to read: so that the node that reports it stays a pure function."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset

from mnist_lstm import provenance


class ProvenanceDataset(AbstractDataset[NoReturn, dict[str, Any]]):
    """The date, the command of this process, the code, the environment and the hardware; collected at each load.

    The tracking hook adds the run's id, and whether it trained.

    Args:
        path: the project's root.
    """

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None):
        self._project = Path(path)
        self.metadata = metadata

    def load(self) -> dict[str, Any]:
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        return {
            "run": {"id": None, "date": now, "trained": False},
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
