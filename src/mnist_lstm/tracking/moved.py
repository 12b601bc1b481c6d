"""Follows a project that was moved or copied, as MLflow stores the absolute places of artifacts."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

from filelock import FileLock

logger = logging.getLogger(__name__)

LOCK_SECONDS = 60  # that a process waits for one that holds the store's lock, which may be suspended
ARTIFACTS = "mlartifacts"  # in the project's root
# Where MLflow stores places, by table
PLACES = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "storage_location",
}


def lock(database: Path) -> FileLock:
    """Held by the process that changes the store's file as a whole."""
    return FileLock(f"{database}.lock", timeout=LOCK_SECONDS)


def follow(database: Path) -> None:
    """Makes the project's own store name the artifacts of the folder that it lies in now.

    Nothing is then read or written where the project was before. Places elsewhere, which a user chose, stay.
    """
    with closing(sqlite3.connect(database)) as connection:
        before, now = _recorded_root(connection), database.parent.as_uri()
        if before is None or before == now or _is_same_folder(before, database.parent):
            return
        logger.warning("The project was moved or copied from %s: its MLflow record names the files here now.", before)
        with lock(database), connection:
            for table, column in PLACES.items():
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",  # noqa: S608
                    (now, len(before) + 1, len(before) + 1, f"{before}/"),
                )


def _recorded_root(connection: sqlite3.Connection) -> str | None:
    """The URI of the project's root when the store was made, which the place of MLflow's first experiment shows."""
    found = connection.execute("SELECT artifact_location FROM experiments WHERE experiment_id = 0").fetchone()
    root, separator, rest = (found[0] if found else "").rpartition(f"/{ARTIFACTS}/")
    return root if separator and rest == "0" and root.startswith("file:") else None


def _is_same_folder(uri: str, folder: Path) -> bool:
    """Whether both name one folder, of which one may be a link."""
    path = Path(unquote(urlsplit(uri).path))
    return path.exists() and path.samefile(folder)
