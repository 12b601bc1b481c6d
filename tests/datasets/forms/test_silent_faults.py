"""Files that look as if they fit, whose labels, splits, range or polarity a guess gets wrong."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.io
from PIL import Image

from mnist_lstm.core.data.splits import Splits
from mnist_lstm.datasets.image_sources import FILES, ImageSourcesDataset
from mnist_lstm.datasets.pictures import opened
from mnist_lstm.errors import UserError
from tests.datasets.forms.conftest import Digits, Read
from tests.support import idx
from tests.support.picture_files import file_of
from tests.support.projects import data_parameters


def table(images: Any, labels: Any) -> pd.DataFrame:
    """With pandas' own names of columns, which are numbers."""
    frame = pd.DataFrame(images.reshape(len(images), -1))
    frame.insert(0, "label", labels)
    return frame


def test_a_header_of_numbers_is_no_image(tmp_path: Path, digits: Digits, read: Read) -> None:
    table(digits.train[:, 8:20, 8:20], digits.train_labels).to_csv(tmp_path / "mine.csv", index=False)
    found = read(tmp_path / "mine.csv", dark_on_light=False)  # cut out, a border may be grey
    assert sum(found.card.images.values()) == 600
    assert found.card.class_names == [str(digit) for digit in range(10)]


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("first", [0, 1])
def test_numbered_columns_are_read_in_the_order_of_their_numbers(
    tmp_path: Path, digits: Digits, read: Read, form: str, first: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Many tools write them sorted by name: p0, p1, p10, p100."""
    pixels = {f"p{at + first}": column for at, column in enumerate(digits.train.reshape(600, -1).T)}
    in_order = pd.DataFrame({"label": digits.train_labels, **pixels})
    caplog.set_level("INFO")
    found = []
    for columns in (list(in_order), sorted(in_order)):
        path = tmp_path / f"mine.{form}"
        write = {"csv": in_order[columns].to_csv, "parquet": in_order[columns].to_parquet}[form]
        write(path, index=False)
        found.append(read(path))
    np.testing.assert_array_equal(found[0].train.images, found[1].train.images)
    assert caplog.text.count("in the order of their numbers") == 1


def test_a_column_of_labels_is_named_by_its_position_where_there_is_a_header(
    tmp_path: Path, digits: Digits, read: Read
) -> None:
    pixels = {f"p{at}": column for at, column in enumerate(digits.train.reshape(600, -1).T)}
    pd.DataFrame({"digit": digits.train_labels, **pixels}).to_csv(tmp_path / "mine.csv", index=False)
    assert len(read(tmp_path / "mine.csv", label_column="0").card.class_names) == 10


def test_a_table_sorted_by_class_does_not_take_a_pixel_for_the_label(tmp_path: Path, read: Read) -> None:
    """Its first rows, as many as are read at a time, have one label."""
    rows = np.random.default_rng(0).integers(0, 200, (10_002, 17))
    rows[:, 0] = np.arange(10_002) // 5001
    pd.DataFrame(rows).to_csv(tmp_path / "mine.csv", index=False, header=False)
    with pytest.raises(UserError, match=r"found 0, 16 of 17 columns.*data\.label_column"):
        read(tmp_path / "mine.csv")


def test_label_10_of_a_mat_file_is_a_class_of_its_own_where_there_are_higher_ones(
    tmp_path: Path, digits: Digits, read: Read
) -> None:
    coloured = np.repeat(digits.train[..., None], 3, axis=3).transpose(1, 2, 3, 0)
    scipy.io.savemat(tmp_path / "mine.mat", {"X": coloured, "y": (np.arange(600) % 26 + 1)[:, None]})
    found = read(tmp_path / "mine.mat")
    assert len(found.card.class_names) == 26
    assert "label 10" not in found.card.decided[0]


def test_arrays_of_one_name_in_two_files_are_told_apart_by_the_files(
    own: Path, digits: Digits, as_idx: Any, read: Read
) -> None:
    for split, images, labels in digits.parts():
        np.savez(own / f"{split}.npz", images=images, labels=labels)
    assert read(own).card.sha256 == as_idx.card.sha256


def test_folders_name_the_split_where_the_files_do_not_and_each_file_is_recorded(
    own: Path, digits: Digits, as_idx: Any, read: Read
) -> None:
    """As in Hugging Face's converted data sets: train/0000.parquet, test/0000.parquet."""
    own_folder_of_a_file_server = ("@eaDir", digits.test, digits.test_labels)
    for split, images, labels in (*digits.parts(), own_folder_of_a_file_server):
        (own / split).mkdir()
        table(images, labels).rename(columns=str).to_parquet(own / split / "0000.parquet")
    card = read(own).card
    assert card.sha256 == as_idx.card.sha256
    assert sorted(card.files) == ["test/0000.parquet", "train/0000.parquet"]


def test_black_ink_on_transparent_paper_is_the_same_ink_in_parquet(
    own: Path, digits: Digits, as_idx: Any, read: Read
) -> None:
    for split, images, labels in digits.parts():
        drawn = (Image.merge("LA", (Image.new("L", (28, 28)), Image.fromarray(image))) for image in images)
        pictures = [{"bytes": file_of(picture), "path": None} for picture in drawn]
        pq.write_table(pa.table({"image": pictures, "label": labels}), own / f"{split}.parquet")
    found = read(own)
    np.testing.assert_allclose(found.train.images.astype(int), as_idx.train.images.astype(int), atol=1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (lambda images: (images / 255).astype(np.float32), "one range in all splits, found 0 to 255 in train, 0 to 1"),
        (lambda images: 255 - images, "paper in all splits, found borders of 0 in train, 255 in test"),
        (lambda images: images[..., None].repeat(4, 3), "opaque pixels"),
    ],
    ids=["range", "polarity", "transparent"],
)
def test_splits_that_are_not_alike_are_refused(
    tmp_path: Path, digits: Digits, read: Read, changed: Any, message: str
) -> None:
    arrays = {"x_train": digits.train, "y_train": digits.train_labels, "y_test": digits.test_labels}
    np.savez(tmp_path / "mine.npz", x_test=changed(digits.test), **arrays)
    with pytest.raises(UserError, match=message):
        read(tmp_path / "mine.npz")


def test_the_first_images_of_a_file_sorted_by_class_do_not_train(tmp_path: Path, digits: Digits, read: Read) -> None:
    np.savez(tmp_path / "mine.npz", images=digits.train, labels=np.sort(digits.train_labels))
    with pytest.raises(UserError, match=r"every class in its training images.*data\.split=stratified"):
        read(tmp_path / "mine.npz", split="300")


def test_a_damaged_mapping_of_emnist_is_named(tmp_path: Path, digits: Digits, read: Read) -> None:
    for name, array in digits.by_file().items():
        (tmp_path / f"emnist-x-{name}").write_bytes(idx.encode(array))
    (tmp_path / "emnist-x-mapping.txt").write_text("0 A\n1\n")
    with pytest.raises(UserError, match=r"emnist-x-mapping\.txt must have lines"):
        read(tmp_path)


def test_a_dark_test_split_is_read_where_the_value_of_white_is_named(
    tmp_path: Path, digits: Digits, read: Read
) -> None:
    dark = digits.test // 12
    arrays = {"x_train": digits.train, "y_train": digits.train_labels, "y_test": digits.test_labels}
    np.savez(tmp_path / "mine.npz", x_test=dark, **arrays)
    with pytest.raises(UserError, match=r"one range in all splits, .* data.brightest=255"):
        read(tmp_path / "mine.npz")
    found = read(tmp_path / "mine.npz", brightest=255)
    np.testing.assert_array_equal(found.test.images, dark)
    with pytest.raises(UserError, match=r"pixels from 0 to data.brightest \(200\), found 0 to 255"):
        read(tmp_path / "mine.npz", brightest=200)


def test_a_named_source_may_be_npz_as_kuzushiji_49(tmp_path: Path, digits: Digits, as_idx: Splits) -> None:
    files = {}
    for key, array in zip(FILES, digits, strict=True):
        np.savez(tmp_path / f"{key}.npz", array)
        checksum = hashlib.sha256((tmp_path / f"{key}.npz").read_bytes()).hexdigest()
        files[key] = {"name": f"{key}.npz", "checksum": f"sha256:{checksum}"}
    entry = {"title": "K", "mirrors": [tmp_path.as_uri()], "validation_images": 50, "files": files}
    entry["class_names"] = [str(digit) for digit in range(10)]
    named = data_parameters(name="k")
    found = ImageSourcesDataset(path=str(tmp_path / "raw"), idx={"k": entry}).load()(named)(named)
    assert found.card.sha256 == as_idx.card.sha256


@pytest.mark.parametrize(
    "form", ["npz", "npz of fractions", "parquet", "parquet without labels", "parquet of pictures", "csv"]
)
def test_files_to_predict_give_the_images_that_are_trained_on(form: str, tmp_path: Path, digits: Digits) -> None:
    path = tmp_path / f"test.{form[:3]}"
    pixels = pd.DataFrame(digits.test.reshape(len(digits.test), -1)).add_prefix("pixel")
    pictures = pd.DataFrame({"image": [{"bytes": file_of(image), "path": None} for image in digits.test]})
    if form.startswith("npz"):
        np.savez(path, x_test=digits.test / 255 if "fractions" in form else digits.test)
    elif form == "csv":
        pixels.to_csv(path, index=False)
    elif form == "parquet":
        pixels.assign(label=digits.test_labels).to_parquet(path)
    else:
        (pictures if "pictures" in form else pixels).to_parquet(path)
    found: list[Any] = [image for _, image in opened(str(path))]
    np.testing.assert_array_equal(np.stack(found), digits.test)
