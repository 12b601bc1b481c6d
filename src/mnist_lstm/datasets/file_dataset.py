"""A catalog dataset in one local file, written atomically."""

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset
from kedro.io.core import get_protocol_and_path

from mnist_lstm.datasets.atomic import atomic_file
from mnist_lstm.errors import UserError

NOTHING: Any = object()  # this run saved nothing that it could load again

STAGES = {"02_intermediate": "ingest", "05_model_input": "reshape", "06_models": "train"}  # by their folders in data/


class FileDataset(AbstractDataset[Any, Any]):
    """One local file. After a crash it holds the old content or the new one, never a part.

    In a run it loads what this run saved, so two runs in one project never mix; the file holds the later run's data.
    Subclasses define `encode` and `decode`, or `_write` and `_read` if the data is too large to be in memory.

    Args:
        filepath: a local path.
        metadata: `{mlflow: artifact}` records the file in MLflow.

    Attributes:
        kind: what errors call the file.
        remedy: what errors advise.
        written: the bytes that this run saved last, until the dataset is released; None if the file is no artifact.

    Raises:
        UserError: if `filepath` is not local.
    """

    kind = "file"
    remedy = "delete it and run `kedro run` again"

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None):
        protocol, path = get_protocol_and_path(filepath)
        if protocol != "file":
            raise UserError(f"filepath in the catalog must be a local path, found {filepath!r}; change it.")
        self._filepath = Path(path)
        self.metadata = metadata
        self._saved = NOTHING
        self.written: bytes | None = None

    def encode(self, data: Any) -> bytes:
        """The content of the file."""
        raise NotImplementedError

    def decode(self, content: bytes) -> Any:
        """The data in the file. It may raise any exception if the content is damaged."""
        raise NotImplementedError

    def save(self, data: Any) -> None:
        with atomic_file(self._filepath) as temporary:
            self._write(data, temporary)
            saved = self._loaded_after(data, temporary)
            written = temporary.read_bytes() if (self.metadata or {}).get("mlflow") == "artifact" else None
        self._saved, self.written = saved, written

    def load(self) -> Any:
        if self._saved is not NOTHING:
            return self._saved
        try:
            return self._read(self._filepath)
        except UserError:
            raise
        except FileNotFoundError as error:
            stage = STAGES.get(self._filepath.parent.name)
            how = f"run the stage that makes it first: `kedro run --pipelines {stage}`" if stage else "run `kedro run`"
            raise UserError(f"{self._filepath} must exist, found no such file; {how}.") from error
        except Exception as error:  # each format's library has errors of its own for a damaged file
            raise UserError(
                f"{self._filepath} must be a complete {self.kind}, found {_reason(error)}; {self.remedy}."
            ) from error

    def _write(self, data: Any, path: Path) -> None:
        path.write_bytes(self.encode(data))

    def _read(self, path: Path) -> Any:
        return self.decode(path.read_bytes())

    def _loaded_after(self, data: Any, written: Path) -> Any:
        """What this run loads after it saved `data`; `written` is the new file under its temporary name."""
        return data

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _release(self) -> None:
        self._saved, self.written = NOTHING, None

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}


def _reason(error: Exception) -> str:
    """The first line of an error."""
    text = (isinstance(error, OSError) and error.strerror) or str(error).strip()
    return text.partition("\n")[0] or type(error).__name__
