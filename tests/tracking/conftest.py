"""A store in which each test makes the runs that it needs."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from kedro.framework.project import configure_project

from mnist_lstm.tracking import store
from tests.support.projects import REPOSITORY
from tests.tracking.fake_runs import FakeRuns, PlainRuns, without_tracking_uri


@pytest.fixture(scope="session")
def empty_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project without runs; to make a store takes seconds, to copy it none."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(REPOSITORY / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
    (folder / "conf/local").mkdir()
    configure_project("mnist_lstm")
    with without_tracking_uri():
        store.opened(folder)
    return folder


@pytest.fixture
def fakes(empty_project: Path, tmp_path: Path) -> Iterator[FakeRuns]:
    """A project whose runs each test makes; the terminal has 100 columns."""
    shutil.copytree(empty_project, tmp_path, dirs_exist_ok=True)
    with without_tracking_uri(), mock.patch.dict(os.environ, {"COLUMNS": "100"}):
        yield FakeRuns(tmp_path)


@pytest.fixture
def runs() -> PlainRuns:
    """Runs that each test makes, without a store."""
    return PlainRuns()
