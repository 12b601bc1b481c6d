import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mnist_lstm.core.data.splits import ImageSplit, Splits
from mnist_lstm.datasets.npz import ImagesDataset, NpzDataset
from tests.datasets.bits import expect_refused_or_the_same, refusal


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


def test_arrays_come_back_as_they_were_and_a_missing_file_and_objects_are_named(
    path: Path, arrays: dict[str, Any]
) -> None:
    dataset = NpzDataset(filepath=str(path))
    assert not dataset.exists()
    assert str(path) in refusal(dataset.load)
    dataset.save(arrays)
    assert dataset.exists()
    assert_same(NpzDataset(filepath=str(path)).load(), arrays)
    np.savez(path, labels=np.array([{"a": 1}], dtype=object))
    assert str(path) in refusal(NpzDataset(filepath=str(path)).load)


@pytest.mark.parametrize("length", [0, 1, 100, -100, -1, None], ids=str)
def test_a_file_cut_short_or_of_something_else_is_named(path: Path, arrays: dict[str, Any], length: int | None) -> None:
    NpzDataset(filepath=str(path)).save(arrays)
    path.write_bytes(path.read_bytes()[:length] if length is not None else b"hello")
    found = refusal(NpzDataset(filepath=str(path)).load)
    assert found.startswith(f"{path} must be a complete npz file, found")
    assert "pickle" not in found


def test_a_file_with_one_wrong_bit_never_loads_as_something_else(path: Path, arrays: dict[str, Any]) -> None:
    NpzDataset(filepath=str(path)).save(arrays)
    expect_refused_or_the_same(path, lambda loaded: assert_same(loaded, arrays))


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
