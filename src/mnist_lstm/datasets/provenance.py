"""Where this run comes from, as a dataset to read: so that the node that reports it stays a pure function."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset

from mnist_lstm import provenance


class ProvenanceDataset(AbstractDataset[NoReturn, dict[str, Any]]):
    """The run, the command of this process, the code, the environment and the hardware; read anew at each load.

    Attributes:
        run_id: of the record of this run, empty where MLflow does not have it yet, None where it has none.
        trained: whether this run trained; both are told by the hook that knows.

    Args:
        path: the project's root.
    """

    run_id: str | None = None
    trained = False

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None):
        self._project = Path(path)
        self.metadata = metadata

    def load(self) -> dict[str, Any]:
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        return {
            "run": {"id": self.run_id, "date": now, "trained": self.trained},
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
