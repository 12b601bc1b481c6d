"""The schema of a sqlite store: one of another MLflow is refused with the command to run, and copied if older."""

import sqlite3
from contextlib import closing
from pathlib import Path

from mnist_lstm.errors import UserError
from mnist_lstm.tracking.moved import lock

SQLITE = "sqlite:///"
REVISION = "SELECT version_num FROM alembic_version"  # of the schema
# The version of MLflow that recorded the newest run of this project
MADE_BY = "SELECT value FROM tags JOIN runs USING (run_uuid) WHERE key = 'mlflow' ORDER BY start_time DESC LIMIT 1"


def check_schema(uri: str) -> None:
    """Checks that a sqlite store has the schema of this MLflow.

    Raises:
        UserError: if a newer or an older MLflow made the store, with the command to run. MLflow itself advises to
            upgrade a newer store, which cannot work, and migrates some older ones silently; one is copied first.
    """
    database = Path(uri.removeprefix(SQLITE))
    if not uri.startswith(SQLITE) or not (revision := _value(database, REVISION)):
        return
    from alembic.script import ScriptDirectory
    from mlflow.store.db.utils import _get_alembic_config
    from mlflow.version import VERSION

    scripts = ScriptDirectory.from_config(_get_alembic_config(""))  # type: ignore[no-untyped-call]
    if revision == scripts.get_current_head():
        return
    made_by = _value(database, MADE_BY)
    listed = f", {made_by}" if made_by else ""
    if revision not in {script.revision for script in scripts.walk_revisions()}:
        raise UserError(
            f"{database} must be a store of MLflow {VERSION} or an older one, found one made by a newer MLflow"
            f"{listed}; run `pip install {f'mlflow=={made_by}' if made_by else '--upgrade mlflow'}`, use the "
            "copy mlflow.db.before-* if there is one, or choose another store by MLFLOW_TRACKING_URI."
        )
    copy = database.with_name(f"{database.name}.before-{VERSION}")
    with lock(database):
        if not copy.exists():
            with closing(sqlite3.connect(database)) as store, closing(sqlite3.connect(copy)) as target:
                store.backup(target)
    raise UserError(
        f"{database} must have the schema of MLflow {VERSION}, found that of an older one{listed}; run "
        f"`mlflow db upgrade {uri}` (the older MLflow cannot read it afterwards, but the copy {copy})."
    )


def _value(database: Path, query: str) -> str:
    """The value that a query finds first; empty if there is none, or the file is no store, which MLflow reports."""
    if not database.is_file():
        return ""
    try:
        with closing(sqlite3.connect(database)) as store:
            found = store.execute(query).fetchone()
    except sqlite3.Error:
        return ""
    return str(found[0]) if found else ""
