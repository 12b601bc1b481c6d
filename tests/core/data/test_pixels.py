from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mnist_lstm.core.data.pixels import grey_values, inverted, oriented
from mnist_lstm.errors import UserError
from tests.support.file_backed import on_disk

GREYS = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (GREYS, ""),
        (GREYS.astype(np.int64), ""),
        (GREYS.astype(np.float32), ""),
        ((GREYS / 255).astype(np.float32), "pixels 0 to 1 became 0 to 255"),
        ((GREYS / 127.5 - 1).astype(np.float32), "pixels -1 to 1 became 0 to 255"),
        (GREYS.astype(np.uint16) * 257, "pixels 0 to 65535 became 0 to 255"),
        (GREYS.astype(np.int16) - 128, "pixels -128 to 127 became 0 to 255"),
        (np.repeat(GREYS[..., None], 3, axis=3), "colours are made grey (luma)"),
        (GREYS[..., None], ""),
    ],
    ids=["bytes", "int64", "whole floats", "0 to 1", "-1 to 1", "16 bits", "signed", "colours", "one channel"],
)
def test_pixels_of_any_type_become_grey_values(images: Any, said: str) -> None:
    found, how = grey_values({"train": images}, "file")
    np.testing.assert_array_equal(found["train"], GREYS)
    assert found["train"].dtype == np.uint8
    assert how == said


@pytest.mark.parametrize("top", [1, 16])
def test_few_levels_are_stretched_and_all_splits_by_one_range(top: int) -> None:
    parts = {"train": np.array([[[0, top]]], np.uint8), "test": np.array([[[0, 1]]], np.uint8)}
    found, how = grey_values(parts, "file")
    assert found["train"].tolist() == [[[0, 255]]]
    assert found["test"].tolist() == [[[0, round(255 / top)]]]
    assert how == f"pixels 0 to {top} became 0 to 255"


def test_colours_become_the_grey_that_pillow_makes_of_them() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (1, 20, 20, 3), np.uint8)
    found, _ = grey_values({"train": colours}, "file")
    np.testing.assert_array_equal(found["train"][0], np.asarray(Image.fromarray(colours[0]).convert("L")))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels_first_are_read_as_channels_last(channels: int, tmp_path: Path) -> None:
    last = np.random.default_rng(1).integers(0, 256, (2, 7, 9, channels), np.uint8)
    last[..., 3:] = 255  # opaque
    first = np.ascontiguousarray(last.transpose(0, 3, 1, 2))
    for images in (first, on_disk(first, tmp_path / "pixels")):
        found, _ = grey_values({"train": images}, "x")
        assert np.array_equal(found["train"], grey_values({"train": last}, "x")[0]["train"])


def test_transposed_and_dark_images_are_put_right() -> None:
    np.testing.assert_array_equal(oriented(GREYS, True)[0], GREYS[0].T)
    assert oriented(GREYS, False) is GREYS
    np.testing.assert_array_equal(inverted(GREYS, "file"), 255 - GREYS)


@pytest.mark.parametrize(
    ("images", "told"),
    [
        (np.zeros((2, 3)), r"must hold images \(N, height, width\)"),
        (np.zeros((2, 6, 7, 5)), r"3 or 4 channels, found \(2, 6, 7, 5\)"),
        (np.zeros((0, 3, 4)), r"in each part, found train of the shape \(0, 3, 4\)"),
        (np.full((1, 2, 2), np.nan), "nan"),
        (np.full((1, 2, 2), np.inf), "infinite"),
        (np.full((1, 2, 2), "a"), "numbers for pixels"),
    ],
    ids=["two axes", "five channels", "none", "nan", "infinite", "text"],
)
def test_what_is_no_image_is_refused(images: Any, told: str) -> None:
    with pytest.raises(UserError, match=told):
        grey_values({"train": images}, "file")
