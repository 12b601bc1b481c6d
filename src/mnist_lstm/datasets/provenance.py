"""Where this run comes from, as a dataset to read: so that the node that reports it stays a pure function."""

from datetime import UTC, datetime
from typing import Any

from mnist_lstm import provenance
from mnist_lstm.read_only import ReadOnlyDataset


class ProvenanceDataset(ReadOnlyDataset[dict[str, Any]]):
    """The date, the command of this process, the code, the environment and the hardware; collected at each load.

    The tracking hook adds the run's id, and whether it trained.
    """

    def load(self) -> dict[str, Any]:
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        return {
            "run": {"id": None, "date": now, "trained": False},
            "command": provenance.command_line(),
            "git": provenance.code(self._path),
            "environment": provenance.environment(self._path),
            "hardware": provenance.hardware(),
        }
