"""A finished run on MNIST itself, where MNIST_LSTM_MNIST names a folder with its four files."""

import os
from pathlib import Path
from typing import Any

import pytest

from mnist_lstm.core.data import idx
from tests.support.projects import Project, copied, made_once

FOLDER = os.environ.get("MNIST_LSTM_MNIST")
FILES = {"images": "images-idx3-ubyte", "labels": "labels-idx1-ubyte"}
needs_mnist = pytest.mark.skipif(not FOLDER, reason="MNIST_LSTM_MNIST names no folder with MNIST's four gz files")


def published(part: str, kind: str) -> Any:
    """The images or labels of MNIST's part train or t10k, as published."""
    name = f"{part}-{FILES[kind]}.gz"
    return idx.decode((Path(str(FOLDER)) / name).read_bytes(), name)


@pytest.fixture(scope="session")
def mnist(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Project:
    """A project in which the tutorial's run on MNIST finished; tests add only what the pipeline `predict` writes."""

    def make(folder: Path) -> None:
        project = copied(folder, empty_store)
        done = project.run("--params", f"data.mirror={Path(str(FOLDER)).resolve().as_uri()}")
        assert done.returncode == 0, done.stdout

    return Project(made_once(tmp_path_factory, "mnist", make))
