"""The schema of a sqlite store: one that MLflow would migrate is copied first, one that it cannot read is refused."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from mnist_lstm.errors import UserError
from mnist_lstm.tracking.moved import lock

logger = logging.getLogger(__name__)

SQLITE = "sqlite:///"


def check_schema(uri: str) -> None:
    """Copies a sqlite store of an older MLflow, as the next call may migrate it silently; does nothing for others.

    Raises:
        UserError: if a newer MLflow made the store. MLflow itself would advise to upgrade it, which cannot work.
    """
    database = Path(uri.removeprefix(SQLITE))
    if not uri.startswith(SQLITE) or not (revision := _revision(database)):
        return
    from alembic.script import ScriptDirectory
    from mlflow.store.db.utils import _get_alembic_config
    from mlflow.version import VERSION

    scripts = ScriptDirectory.from_config(_get_alembic_config(""))  # type: ignore[no-untyped-call]
    if revision == scripts.get_current_head():
        return
    if revision not in {script.revision for script in scripts.walk_revisions()}:
        raise UserError(
            f"{database} must be a store of MLflow {VERSION} or an older one, found one made by a newer MLflow"
            f"{_made_by(database)}; install that version, use the copy mlflow.db.before-* if there is one, or choose "
            "another store by MLFLOW_TRACKING_URI."
        )
    copy = database.with_name(f"{database.name}.before-{VERSION}")
    with lock(database):
        if not copy.exists():
            with closing(sqlite3.connect(database)) as store, closing(sqlite3.connect(copy)) as target:
                store.backup(target)
            logger.warning(
                "MLflow %s may migrate %s, made by an older one%s, which cannot read it afterwards; a copy is %s.",
                VERSION, database, _made_by(database), copy,
            )  # fmt: skip


def _revision(database: Path) -> str | None:
    """The revision of the schema; None if the file is no store, which MLflow reports."""
    rows = _rows(database, "SELECT version_num FROM alembic_version")
    return str(rows[0][0]) if rows else None


def _made_by(database: Path) -> str:
    """The version of MLflow that recorded the newest run of this project, behind a comma."""
    runs = "SELECT value FROM tags JOIN runs USING (run_uuid) WHERE key = 'mlflow' ORDER BY start_time DESC LIMIT 1"
    rows = _rows(database, runs)
    return f", {rows[0][0]}" if rows else ""


def _rows(database: Path, query: str) -> list[tuple[str]]:
    if not database.is_file():
        return []
    try:
        with closing(sqlite3.connect(database)) as store:
            return store.execute(query).fetchall()
    except sqlite3.Error:
        return []
