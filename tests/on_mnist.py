"""A finished run on MNIST itself, where MNIST_LSTM_MNIST names a folder with its four files.

A test module asks for the fixture `mnist` by `pytest_plugins = ["tests.projects", "tests.on_mnist"]`, and imports the
rest before pytest can rewrite its assertions (PYTEST_DONT_REWRITE).
"""

import os
from pathlib import Path

import pytest

from tests.projects import Project, copied

FOLDER = os.environ.get("MNIST_LSTM_MNIST")
needs_mnist = pytest.mark.skipif(not FOLDER, reason="MNIST_LSTM_MNIST names no folder with MNIST's four gz files")


@pytest.fixture(scope="session")
def mnist(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Project:
    """A project in which the tutorial's run on MNIST finished; tests add only what the pipeline `predict` writes."""
    project = copied(tmp_path_factory.mktemp("mnist"))
    (project.path / "mlflow.db").write_bytes(empty_store.read_bytes())
    done = project.run("--params", f"data.mirror={Path(str(FOLDER)).resolve().as_uri()}")
    assert done.returncode == 0, done.stdout
    return project
