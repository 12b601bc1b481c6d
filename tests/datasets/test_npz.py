import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kedro.io import DatasetError
from PIL import Image

from mnist_lstm.core.data.splits import ImageSplit, Splits
from mnist_lstm.datasets.npz import ImagesDataset, NpzDataset
from mnist_lstm.errors import cause_for_user
from tests.datasets.bits import expect_refused_or_the_same


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "arrays.npz"


@pytest.fixture
def arrays() -> dict[str, Any]:
    random = np.random.default_rng(0)
    return {"logits": random.normal(size=(7, 3)).astype(np.float32), "labels": random.integers(0, 3, 7, np.uint8)}


def assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert list(one) == list(other)
    for name, array in one.items():
        assert array.dtype == other[name].dtype
        np.testing.assert_array_equal(array, other[name])


def test_arrays_come_back_as_they_were(path: Path, arrays: dict[str, Any]) -> None:
    NpzDataset(filepath=str(path)).save(arrays)
    assert_same(NpzDataset(filepath=str(path)).load(), arrays)


def test_an_object_array_is_not_loaded(path: Path) -> None:
    np.savez(path, labels=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DatasetError) as raised:
        NpzDataset(filepath=str(path)).load()
    assert str(path) in str(cause_for_user(raised.value))


@pytest.mark.parametrize("length", [0, 1, 100, -100, -1])
def test_a_file_cut_short_is_named(path: Path, arrays: dict[str, Any], length: int) -> None:
    NpzDataset(filepath=str(path)).save(arrays)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DatasetError) as raised:
        NpzDataset(filepath=str(path)).load()
    assert str(cause_for_user(raised.value)).startswith(f"{path} must be a complete npz file, found")


def test_the_error_for_a_file_that_is_no_npz_does_not_mention_pickle(path: Path) -> None:
    path.write_text("hello")
    with pytest.raises(DatasetError) as raised:
        NpzDataset(filepath=str(path)).load()
    message = str(cause_for_user(raised.value))
    assert message.startswith(f"{path} must be a complete npz file")
    assert "pickle" not in message


def test_a_file_with_one_wrong_bit_never_loads_as_something_else(path: Path, arrays: dict[str, Any]) -> None:
    NpzDataset(filepath=str(path)).save(arrays)
    expect_refused_or_the_same(path, lambda loaded: assert_same(loaded, arrays))


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(DatasetError) as raised:
        NpzDataset(filepath=str(path)).load()
    assert str(path) in str(cause_for_user(raised.value))


def test_a_file_exists_once_it_is_saved(path: Path, arrays: dict[str, Any]) -> None:
    dataset = NpzDataset(filepath=str(path))
    assert not dataset.exists()
    dataset.save(arrays)
    assert dataset.exists()


def test_the_preview_of_arrays_is_json_with_dtype_and_shape(path: Path, arrays: dict[str, Any]) -> None:
    dataset = NpzDataset(filepath=str(path))
    dataset.save(arrays)
    assert json.loads(dataset.preview()) == {"logits": "float32 (7, 3)", "labels": "uint8 (7,)"}


def test_the_preview_of_images_is_a_png_in_base64_that_shows_them(path: Path, splits: Splits) -> None:
    previews, dataset, one = [], ImagesDataset(filepath=str(path)), splits.train.images[:1]
    for images in (splits.train.images, one, np.zeros_like(one)):
        dataset.save(ImageSplit(images, splits.train.labels[: len(images)]))
        previews.append(dataset.preview())
        with Image.open(io.BytesIO(base64.b64decode(previews[-1], validate=True))) as picture:
            assert picture.format == "PNG"
            assert min(picture.size) > 50
    assert len(set(previews)) == 3
