import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from mnist_lstm.core.data import file_backed
from mnist_lstm.core.data.choose_split import validation
from mnist_lstm.core.data.file_backed import FileBackedArray
from mnist_lstm.core.data.sequences import pixel_order_for, sequence_split, to_sequences
from mnist_lstm.core.data.splits import Splits, digest
from mnist_lstm.errors import UserError
from tests.conftest import read_by
from tests.core.conftest import MOVED, Trial, assert_same_bits
from tests.support.file_backed import on_disk, part_on_disk

ARRAY = np.random.default_rng(0).integers(0, 256, (9, 6, 4), np.uint8)
KEYS: list[Any] = [
    *(slice(None), slice(2, 5), slice(7, 99), slice(5, 2), slice(-3, None), 0, 8, -1, np.int64(3)),
    *(np.array([], np.int64), [3], [8, 0, 0, 5], [-1, -9], np.array([2, 1], np.uint8)),
]


@pytest.fixture
def array(tmp_path: Path) -> FileBackedArray:
    return on_disk(ARRAY, tmp_path / "pixels")


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_a_stored_array_reads_as_one_in_memory(array: FileBackedArray, key: Any) -> None:
    expected = ARRAY[np.asarray(key, np.int64) if isinstance(key, list) else key]
    assert_array_equal(array[key], expected, strict=True)


def test_a_stored_array_has_measures_and_parts_of_one_in_memory_and_never_becomes_one_by_accident(
    array: FileBackedArray,
) -> None:
    for name in ("shape", "dtype", "ndim", "size", "nbytes"):
        assert getattr(array, name) == getattr(ARRAY, name)
    assert len(array) == len(ARRAY)
    assert_array_equal(array.part(2, 8)[:], ARRAY[2:8])
    assert_array_equal(array.part(2, 8).part(1, 3)[[1, 0]], ARRAY[[4, 3]])
    with pytest.raises(TypeError, match="larger than memory"):
        np.ascontiguousarray(array)


@pytest.mark.parametrize("key", [9, -10, [9], [0, -10], slice(0, 9, 2), [[1]], 1.5, [True]], ids=repr)
def test_what_is_not_there_cannot_be_read(array: FileBackedArray, key: Any) -> None:
    with pytest.raises(IndexError):
        array[key]


def test_a_truncated_file_is_reported_in_one_line(array: FileBackedArray, tmp_path: Path) -> None:
    os.truncate(tmp_path / "pixels", 3 + 8 * 24)
    assert_array_equal(array[7], ARRAY[7])
    with pytest.raises(UserError, match=r"pixels ends 24 bytes early") as raised:
        array[:]
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("size", [1, 50, 10**6])
def test_blocks_are_the_array_whatever_their_size(
    array: FileBackedArray, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(file_backed, "BLOCK", size)
    assert_array_equal(np.concatenate(list(file_backed.blocks(array))), ARRAY)


@pytest.mark.parametrize("view", ["rows", "columns", "rows_and_columns", "patches", "permuted_pixels"])
def test_stored_images_become_the_sequences_of_those_in_memory(array: FileBackedArray, view: str) -> None:
    pixel_order = pixel_order_for(read_by(view), 6, 4)
    found, expected = to_sequences(array, pixel_order), to_sequences(ARRAY, pixel_order)
    assert found.shape == expected.shape
    assert_array_equal(found[:], expected)
    assert_array_equal(found.part(1, 9)[[5, 0]], expected[[6, 1]])
    with pytest.raises(UserError, match="must have 25 pixels"):
        to_sequences(array, np.arange(25)[:, None])


@pytest.mark.parametrize("view", ["rows", "patches"])
def test_the_digest_does_not_tell_where_data_lie(splits: Splits, tmp_path: Path, view: str) -> None:
    there, pixel_order = part_on_disk(splits.train, tmp_path), pixel_order_for(read_by(view), 6, 4)
    assert digest(there.arrays()) == digest(splits.train.arrays())
    assert digest(sequence_split(there, pixel_order).arrays()) == digest(
        sequence_split(splits.train, pixel_order).arrays()
    )


@pytest.mark.parametrize(
    ("limit", "kinds"), [(0, (FileBackedArray, FileBackedArray)), (500, (np.ndarray, FileBackedArray))]
)
def test_of_stored_images_those_that_fit_into_memory_are_read(
    splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, kinds: tuple[type, ...]
) -> None:
    monkeypatch.setattr(file_backed, "IN_MEMORY", limit)
    on_disk = part_on_disk(splits.train, tmp_path)
    found, expected = (validation(part, 20, "first", "it", 0)[:2] for part in (on_disk, splits.train))
    for one, other, kind in zip(found, expected, kinds, strict=True):
        assert isinstance(one.images, kind)
        assert digest(one.arrays()) == digest(other.arrays())


WAYS: list[dict[str, Any]] = [{}, {"shuffle_block": 2}, {"augmentation": MOVED}]


@pytest.mark.parametrize("changes", WAYS, ids=["permutation", "blocks", "augmentation"])
def test_training_has_the_same_bits_wherever_its_data_lie(
    trial: Trial, tmp_path: Path, changes: dict[str, Any]
) -> None:
    expected = trial.states(**changes)
    train, valid = (
        replace(part, sequences=on_disk(part.sequences, tmp_path / str(len(part))))
        for part in (trial.data.train, trial.data.valid)
    )
    found = Trial(trial.parameters, trial.data._replace(train=train, valid=valid))
    for one, other in zip(found.states(**changes), expected, strict=True):
        assert_same_bits(one, other)
    assert_same_bits(found.states(expected[2], **changes)[-1], expected[-1])
    assert found.fingerprint_fields() == trial.fingerprint_fields()
