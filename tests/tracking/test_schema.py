"""A store of another version of MLflow."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from mlflow.store.db.utils import _get_alembic_config

from mnist_lstm.errors import UserError
from mnist_lstm.tracking.schema import check_schema


def revisions() -> list[str]:
    """Of the schema, newest first."""
    scripts = ScriptDirectory.from_config(_get_alembic_config(""))
    return [script.revision for script in scripts.walk_revisions()]


def store(folder: Path, revision: str) -> Path:
    """What a store has of each version: its revision, and a run with the tag of its MLflow."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as made:
        made.executescript(
            """CREATE TABLE alembic_version (version_num TEXT);
            CREATE TABLE runs (run_uuid TEXT, start_time INT); INSERT INTO runs VALUES ('a', 1), ('b', 2);
            CREATE TABLE tags (run_uuid TEXT, key TEXT, value TEXT);
            INSERT INTO tags VALUES ('a', 'mlflow', '1.0'), ('b', 'mlflow', '99.1.0');"""
        )
        made.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
        made.commit()
    return folder / "mlflow.db"


def dump(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as opened:
        return list(opened.iterdump())


def test_a_store_of_a_newer_mlflow_is_refused_with_its_version(tmp_path: Path) -> None:
    database = store(tmp_path, "unknown")
    with pytest.raises(
        UserError,
        match=r"mlflow\.db must be .* found one made by a newer MLflow, 99\.1\.0; run `pip install mlflow==99",
    ):
        check_schema(f"sqlite:///{database}")


def test_a_store_of_an_older_mlflow_is_copied_once_and_refused_with_the_command(tmp_path: Path) -> None:
    database = store(tmp_path, revisions()[1])
    content = dump(database)
    for _ in range(2):
        with pytest.raises(UserError, match=rf"run `mlflow db upgrade sqlite:///{database}` .*{database}\.before-"):
            check_schema(f"sqlite:///{database}")
    (copy,) = tmp_path.glob("mlflow.db.before-*")
    assert dump(copy) == dump(database) == content


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9", "sqlite:///{folder}/mlflow.db", "sqlite:///{folder}/none.db"])
def test_the_present_schema_and_what_is_no_sqlite_store_are_left_alone(tmp_path: Path, uri: str) -> None:
    store(tmp_path, revisions()[0])
    before = sorted(tmp_path.iterdir())
    check_schema(uri.format(folder=tmp_path))
    assert sorted(tmp_path.iterdir()) == before
