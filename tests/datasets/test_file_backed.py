import copy
import gzip
import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from mnist_lstm.core.data import file_backed
from mnist_lstm.core.data.file_backed import FileBackedArray
from mnist_lstm.core.data.splits import ImageSplit, digest
from mnist_lstm.datasets.file_backed import FileReader, array_in
from mnist_lstm.datasets.image_sources import FILES, ImageSourcesDataset
from mnist_lstm.datasets.npz import ImagesDataset, NpzDataset
from mnist_lstm.errors import UserError
from tests.datasets.bits import expect_refused_or_the_same, refusal
from tests.support.file_backed import part_on_disk
from tests.support.idx import encode
from tests.support.projects import data_parameters
from tests.support.sources import source

RANDOM = np.random.default_rng(0)
PART: dict[str, Any] = {
    "images": RANDOM.integers(0, 256, (11, 5, 4), np.uint8),
    "labels": np.arange(11, dtype=np.uint8) % 3,
}
PLAIN = gzip.decompress(encode(PART["images"]))


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pixels of any number are larger than memory, and read in small blocks."""
    monkeypatch.setattr(file_backed, "IN_MEMORY", 0)
    monkeypatch.setattr(file_backed, "BLOCK", 50)


@pytest.fixture
def there(tmp_path: Path) -> dict[str, Any]:
    return part_on_disk(ImageSplit.from_arrays(PART), tmp_path).arrays()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "arrays.npz"


@pytest.mark.parametrize("zipped", [True, False])
def test_large_images_of_an_idx_file_stay_on_disk_and_labels_do_not(tmp_path: Path, zipped: bool) -> None:
    for name, array in PART.items():
        (tmp_path / name).write_bytes(encode(array) if zipped else gzip.decompress(encode(array)))
    found = {name: array_in(tmp_path / name) for name in PART}
    assert {name: type(array) for name, array in found.items()} == {"images": FileBackedArray, "labels": np.ndarray}
    assert digest(found) == digest(PART)
    assert {each.name for each in tmp_path.iterdir()} == set(PART)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (PLAIN[:-1], "ends 1 bytes early"),
        (PLAIN + b"a", "holds more bytes"),
        (PLAIN[:4] + b"\xff" * 12 + PLAIN[16:], "bytes early"),
        (gzip.compress(PLAIN[:-1], mtime=0), "ends 1 bytes early"),
        (gzip.compress(PLAIN, mtime=0)[:-1], "cut short"),
        (gzip.compress(PLAIN[:4] + b"\xff" * 12, mtime=0), "damaged"),
        (gzip.compress(PLAIN[:4] + b"\0\0\1\0" + PLAIN[8:], mtime=0), "4900 bytes early"),
    ],
)
def test_a_damaged_large_file_is_refused_by_name_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, reason: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**70))
    place = tmp_path / "images.gz"
    place.write_bytes(content)
    with pytest.raises(UserError, match=f"images.gz .*({reason})"):
        array_in(place)
    assert list(tmp_path.iterdir()) == [place]


def test_a_source_gives_the_same_splits_wherever_its_pixels_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = {key: PART[key.partition("_")[2]] for key in FILES}
    entry = source(tmp_path / "shapes", arrays, class_names=["a", "b", "c"])
    named = data_parameters(name="shapes")
    read = ImageSourcesDataset(path=str(tmp_path), idx={"shapes": entry}).load()(named)
    large = read(named)
    monkeypatch.setattr(file_backed, "IN_MEMORY", 2**30)
    assert read(named).card == large.card
    assert isinstance(large.train.images, FileBackedArray)


def test_an_npz_file_of_stored_pixels_is_byte_for_byte_that_of_numpy_whose_own_can_be_stored(
    there: dict[str, Any], path: Path, tmp_path: Path
) -> None:
    np.savez(tmp_path / "numpys.npz", **PART)
    assert digest(NpzDataset(filepath=str(tmp_path / "numpys.npz")).load()) == digest(PART)
    NpzDataset(filepath=str(path)).save(there)
    assert path.read_bytes() == (tmp_path / "numpys.npz").read_bytes()


def test_large_pixels_load_as_stored_ones_and_all_else_in_memory(path: Path) -> None:
    more = PART | {"logits": np.ones((4, 3), np.float32), "order": np.arange(20).reshape(5, 4)}
    NpzDataset(filepath=str(path)).save(more)
    loaded = NpzDataset(filepath=str(path)).load()
    assert [name for name, array in loaded.items() if isinstance(array, FileBackedArray)] == ["images"]
    assert digest(loaded) == digest(more)


def test_packed_and_transposed_pixels_load_in_memory(path: Path) -> None:
    np.savez_compressed(path, images=PART["images"])
    assert isinstance(NpzDataset(filepath=str(path)).load()["images"], np.ndarray)
    np.savez(path, images=np.asfortranarray(PART["images"]))
    assert_array_equal(NpzDataset(filepath=str(path)).load()["images"], PART["images"])


def test_a_large_file_with_one_wrong_bit_never_loads_as_something_else(there: dict[str, Any], path: Path) -> None:
    NpzDataset(filepath=str(path)).save(there)
    right = digest(PART)

    def expect_same(loaded: dict[str, Any]) -> None:
        assert digest(loaded) == right

    expect_refused_or_the_same(path, expect_same)


def test_a_run_goes_on_with_the_pixels_it_saved_whatever_takes_their_place(there: dict[str, Any], path: Path) -> None:
    one, two = NpzDataset(filepath=str(path)), NpzDataset(filepath=str(path))
    one.save(there)
    two.save({"images": np.zeros((11, 5, 4), np.uint8)})
    assert digest(one.load()) == digest(PART)
    assert not two.load()["images"].any()


def test_what_was_saved_does_not_need_the_file_it_came_from(there: dict[str, Any], path: Path, tmp_path: Path) -> None:
    dataset = NpzDataset(filepath=str(path))
    dataset.save(there)
    os.truncate(tmp_path / "images-11", 0)
    assert digest(dataset.load()) == digest(PART)


def test_a_disk_that_is_too_small_is_told_and_the_old_file_stays(
    there: dict[str, Any], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text("old")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    found = refusal(lambda: NpzDataset(filepath=str(path)).save(there))
    assert "must have 0.0 GiB free for pixels that are larger than memory" in found
    assert path.read_text() == "old"


def test_the_preview_of_stored_images_is_that_of_those_in_memory(there: dict[str, Any], path: Path) -> None:
    previews = []
    for part in (there, PART):
        dataset = ImagesDataset(filepath=str(path))
        dataset.save(ImageSplit.from_arrays(part))
        previews.append(dataset.preview())
    assert previews[0] == previews[1]


def test_no_file_stays_open(there: dict[str, Any], path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        NpzDataset(filepath=str(path)).save(there)
        assert isinstance(NpzDataset(filepath=str(path)).load()["images"], FileBackedArray)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_reader_goes_to_another_process_by_the_name_of_its_file(path: Path) -> None:
    """Ray copies what it sends as `copy.deepcopy` does."""
    NpzDataset(filepath=str(path)).save(PART)
    array = NpzDataset(filepath=str(path)).load()["images"]
    assert_array_equal(copy.deepcopy(array)[:], PART["images"])
    NpzDataset(filepath=str(path)).save({"images": np.zeros((9, 5, 4), np.uint8)})
    with pytest.raises(UserError, match="must be the file that this run began with"):
        copy.deepcopy(array)
    path.unlink()
    with pytest.raises(UserError, match="on a disk that all processes share, found none"):
        copy.deepcopy(array)


def test_a_reader_is_known_by_the_place_its_file_is_to_have(tmp_path: Path) -> None:
    (tmp_path / "temporary").write_bytes(b"abc")
    reader = FileReader(tmp_path / "temporary", tmp_path / "place")
    (tmp_path / "temporary").rename(tmp_path / "place")
    buffer: Any = np.empty(2, np.uint8)
    copy.deepcopy(reader)(1, buffer)
    assert buffer.tobytes() == b"bc"
