"""The schema of a sqlite store: one of another MLflow is refused with the command to run, and copied if older."""

import sqlite3
from contextlib import closing
from pathlib import Path

from mnist_lstm.errors import UserError
from mnist_lstm.tracking.moved import lock

SQLITE = "sqlite:///"


def check_schema(uri: str) -> None:
    """Checks that a sqlite store has the schema of this MLflow.

    Raises:
        UserError: if a newer or an older MLflow made the store, with the command to run. MLflow itself advises to
            upgrade a newer store, which cannot work, and migrates some older ones silently; one is copied first.
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
    made_by = _made_by(database)
    if revision not in {script.revision for script in scripts.walk_revisions()}:
        raise UserError(
            f"{database} must be a store of MLflow {VERSION} or an older one, found one made by a newer MLflow"
            f"{_listed(made_by)}; run `pip install {f'mlflow=={made_by}' if made_by else '--upgrade mlflow'}`, use the "
            "copy mlflow.db.before-* if there is one, or choose another store by MLFLOW_TRACKING_URI."
        )
    copy = database.with_name(f"{database.name}.before-{VERSION}")
    with lock(database):
        if not copy.exists():
            with closing(sqlite3.connect(database)) as store, closing(sqlite3.connect(copy)) as target:
                store.backup(target)
    raise UserError(
        f"{database} must have the schema of MLflow {VERSION}, found that of an older one{_listed(made_by)}; run "
        f"`mlflow db upgrade {uri}` (the older MLflow cannot read it afterwards, but the copy {copy})."
    )


def _listed(version: str) -> str:
    return f", {version}" if version else ""


def _revision(database: Path) -> str | None:
    """The revision of the schema; None if the file is no store, which MLflow reports."""
    rows = _rows(database, "SELECT version_num FROM alembic_version")
    return str(rows[0][0]) if rows else None


def _made_by(database: Path) -> str:
    """The version of MLflow that recorded the newest run of this project, empty if unknown."""
    runs = "SELECT value FROM tags JOIN runs USING (run_uuid) WHERE key = 'mlflow' ORDER BY start_time DESC LIMIT 1"
    rows = _rows(database, runs)
    return str(rows[0][0]) if rows else ""


def _rows(database: Path, query: str) -> list[tuple[str]]:
    if not database.is_file():
        return []
    try:
        with closing(sqlite3.connect(database)) as store:
            return store.execute(query).fetchall()
    except sqlite3.Error:
        return []
