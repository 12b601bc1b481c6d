"""Digits to write in every form: MNIST's own where the machine has them, else scikit-learn's in 28 x 28 pixels."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from mnist_lstm.core.data import idx
from mnist_lstm.core.data.splits import Splits
from mnist_lstm.datasets.image_sources import FILES, ImageSourcesDataset
from tests.support.projects import data_parameters
from tests.support.sources import source

TRAIN, TEST = 600, 200  # images

Read = Callable[..., Splits]


class Digits(NamedTuple):
    """Images uint8 (N, 28, 28) and labels uint8 (N,) to train and to test."""

    train: Any
    train_labels: Any
    test: Any
    test_labels: Any

    def by_file(self) -> dict[str, Any]:
        """The arrays by the names of MNIST's files."""
        return dict(zip(FILES.values(), self, strict=True))

    def parts(self, train: str = "train", test: str = "test") -> Iterator[tuple[str, Any, Any]]:
        """Name, images and labels of each part."""
        yield from ((train, self.train, self.train_labels), (test, self.test, self.test_labels))


@pytest.fixture(scope="session")
def digits() -> Digits:
    if folder := os.environ.get("MNIST_LSTM_MNIST"):
        found = [idx.decode(Path(folder, name).read_bytes(), name) for name in FILES.values()]
        return Digits(found[0][:TRAIN], found[1][:TRAIN], found[2][:TEST], found[3][:TEST])
    from sklearn.datasets import load_digits

    known = load_digits()
    images = np.pad(
        np.rint(known.images * 15.9375).astype(np.uint8).repeat(3, 1).repeat(3, 2), ((0, 0), (2, 2), (2, 2))
    )
    labels = known.target.astype(np.uint8)
    return Digits(images[:TRAIN], labels[:TRAIN], images[-TEST:], labels[-TEST:])


@pytest.fixture
def read() -> Read:
    """A function that reads a file or a folder as `kedro run --params data.path=...` does."""

    def read(path: Path, **given: Any) -> Splits:
        data = data_parameters(path=str(path), **given)
        return ImageSourcesDataset(path="nowhere", idx={}).load()(data)(data)

    return read


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """An empty folder."""
    (tmp_path / "own").mkdir()
    return tmp_path / "own"


@pytest.fixture
def as_idx(tmp_path: Path, digits: Digits, read: Read) -> Splits:
    """The digits as read from IDX files."""
    source(tmp_path / "as idx", dict(zip(FILES, digits, strict=True)))
    return read(tmp_path / "as idx")
