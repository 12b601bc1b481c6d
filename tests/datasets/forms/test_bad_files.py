"""Files of each form that are not what they should be: one line that names the file, and what to do."""

import io
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.io

from mnist_lstm.datasets.forms import to_predict
from mnist_lstm.datasets.own_data import expect_not_emnist
from mnist_lstm.errors import UserError
from tests.datasets.forms.conftest import Read
from tests.support import idx

IMAGES = np.tile(np.arange(64, dtype=np.uint8).reshape(1, 8, 8) * (np.arange(8) < 7), (40, 1, 1)).astype(np.uint8)
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9912422\n"
LABELS = (np.arange(40) % 4).astype(np.uint8)


def table(**changed: Any) -> pd.DataFrame:
    pixels = {f"pixel{at}": column for at, column in enumerate(IMAGES.reshape(40, 64).T)}
    return pd.DataFrame({"label": LABELS, **pixels} | changed)


def csv(**changed: Any) -> bytes:
    return bytes(table(**changed).to_csv(index=False).encode())


def npz(save: Any = np.savez, **arrays: Any) -> bytes:
    content = io.BytesIO()
    save(content, **{"x_train": IMAGES, "y_train": LABELS} | arrays)
    return content.getvalue()


def parquet(frame: pd.DataFrame) -> bytes:
    content = io.BytesIO()
    frame.to_parquet(content)
    return content.getvalue()


def cells(**columns: Any) -> bytes:
    """Two rows with labels, in parquet."""
    return parquet(pd.DataFrame(columns | {"label": [0, 1]}))


def mat(**arrays: Any) -> bytes:
    content = io.BytesIO()
    coloured = np.repeat(IMAGES[..., None], 3, axis=3).transpose(1, 2, 3, 0)
    scipy.io.savemat(content, {"X": coloured, "y": LABELS[:, None]} | arrays)
    return content.getvalue()


def zipped(**files: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in files.items():
            archive.writestr(name.replace("__", "."), each)
    return content.getvalue()


def damaged(archive: bytes) -> bytes:
    """A block of a kind that zlib does not know, where the first member's content begins."""
    name, extra = (int.from_bytes(archive[at : at + 2], "little") for at in (26, 28))
    start = 30 + name + extra
    return archive[:start] + b"\xff" * 8 + archive[start + 8 :]


def without_line(content: bytes, at: int, instead: bytes) -> bytes:
    lines = content.split(b"\n")
    return b"\n".join([*lines[:at], instead, *lines[at + 1 :]])


GREY = np.full_like(IMAGES, 128)
BAD: dict[str, tuple[bytes, str]] = {
    "mine.txt: a text": (b"Dear reader,\nthis is no data.\n", "data of one form .* found none of them"),
    "mine.csv: an empty file": (b"", "found none of them"),
    "mine.xlsx: a spreadsheet": (zipped(xl__workbook=b"<w/>"), "mine.xlsx, a spreadsheet: save it as CSV"),
    "mine.csv: names of pictures": (b"file,label\na.png,1\nb.png,0\n", "pictures into a folder for each class"),
    "mine.png: a picture": (b"\x89PNG\r\n\x1a\n", "found none of them"),
    "mine.csv: a blank line": (without_line(csv(), 5, b""), "column pixel0 of line 6"),
    "mine.csv: a line cut short": (csv()[:-20], r"column pixel\d+ of line 41"),
    "mine.csv: a line too long": (without_line(csv(), 3, b"1," * 70 + b"1"), "must be a table, found: .*line 4"),
    "mine.csv: a word among the pixels": (csv(pixel3=["a"] * 40), "found 'a' in column pixel3 of line 2"),
    "mine.csv: a column too many": (csv(id=range(40)), r"found 65, which is no square; .*data\.size=.*label_col"),
    "mine.csv: two columns of labels": (csv(target=LABELS), r"found label, target .*data\.label_column"),
    "mine.csv: a pixel above 255": (csv(pixel9=256), "pixels from 0 to 255, found 256 in column pixel9 of line 2"),
    "mine.csv: a pixel below 0": (csv(pixel9=-1), "found -1 in column pixel9"),
    "mine.csv: a missing pixel": (csv(pixel9=[np.nan] + [1] * 39), "column pixel9 of line 2"),
    "mine.csv: two missing pixels": (
        csv(pixel9=[1] * 7 + [np.nan] * 33, pixel20=[1, 1, np.nan] + [1] * 37),
        "found nan in column pixel20 of line 4",
    ),
    "mine.csv: true and false": (csv(pixel9=[True, False] * 20), "found (np.)?True_? in column pixel9 of line 2"),
    "mine.csv: no labels": (table().drop(columns="label").to_csv(index=False).encode(), "must hold labels"),
    "mine.csv: a missing label": (csv(label=[np.nan, *LABELS[1:]]), "found nan at 0"),
    "mine.csv: a single class": (csv(label=1), "2 to 256 classes, found 1"),
    "mine.npz: cut short": (npz()[:-30], "must be a complete file of numpy"),
    "mine.npz: a wrong byte": (npz().replace(IMAGES[3].tobytes(), bytes(64), 1), "complete file of numpy"),
    "mine.npz: damaged though compressed": (damaged(npz(np.savez_compressed)), "complete file of numpy"),
    "mine.zip: damaged though compressed": (damaged(zipped(train__csv=csv())), "complete zip file"),
    "mine.zip: an empty file": (zipped(train__csv=csv(), test__csv=b""), "found test.csv without content"),
    "mine.npz: objects": (npz(x_train=np.array([{}], object)), "objects .* never loaded"),
    "mine.npz: text": (npz(x_train=np.full((40, 8, 8), "a")), "numbers for pixels"),
    "mine.npz: nan": (npz(x_train=np.full((40, 8, 8), np.nan)), "a number for each pixel"),
    "mine.npz: an empty test split": (
        npz(x_test=IMAGES[:0], y_test=LABELS[:0]),
        r"found test of the shape \(0, 8, 8\); fill that part or leave it out",
    ),
    "mine.npz: an empty test split of rows": (
        npz(x_train=IMAGES.reshape(40, 64), x_test=IMAGES[:0].reshape(0, 64), y_test=LABELS[:0]),
        r"found test of the shape \(0, 8, 8\); fill that part or leave it out",
    ),
    "mine.npz: one image of a class": (
        npz(y_train=np.where(np.arange(40) == 9, 7, LABELS)),
        r"found 40 of 5 classes, 1 of class 4 \(from 0, by name\)",
    ),
    "mine.npz: a label too few": (npz(y_train=LABELS[1:]), "found 40 images and 39 labels"),
    "mine.npz: several labels an image": (npz(y_train=np.ones((40, 4))), "one label for each image"),
    "mine.npz: no labels": (npz(y_train=np.array(3)), "one array of train labels, found none"),
    "mine.npz: two arrays of images": (npz(x_train_small=IMAGES), "one array of train images, found x_train, x_"),
    "mine.npz: flat images of no square": (npz(x_train=IMAGES[:, :7].reshape(40, 56)), "56, which is no square"),
    "mine.npz: test labels out of range": (npz(x_test=IMAGES, y_test=LABELS + 1), "labels in test .* found 4"),
    "mine.npz: test images of another size": (
        npz(x_test=IMAGES[:, 1:], y_test=LABELS),
        r"one height and width, found \(8, 8\) in train",
    ),
    "mine.csv: in another encoding": (
        table(label=["ö", "a"] * 20).to_csv(index=False).encode("cp1252"),
        r"must be text in UTF-8, found b'\\xf6'; save it so",
    ),
    "mine.csv: a pointer of git-lfs": (POINTER, r"pointers of git-lfs \(mine\.csv\); run `git lfs pull`"),
    "mine.npz: grey borders": (npz(x_train=GREY), r"borders are grey \(128 of 255\).*data\.dark_on_light=true"),
    "x_train.npy: objects": (b"", "found none of them"),
    "mine.parquet: cut short": (parquet(table())[:-10], "complete parquet file"),
    "mine.parquet: no labels": (parquet(table().drop(columns="label")), r"data\.label_column"),
    "mine.parquet: a column of words": (
        parquet(table(split=["train"] * 40)),
        "in all columns but that of the labels, found 'split' of (large_)?string; remove",
    ),
    "mine.parquet: a broken picture": (
        cells(image=[{"bytes": b"x", "path": None}] * 2),
        "complete pictures, found 2 that are not: row 0 of",
    ),
    "mine.parquet: unequal lists": (cells(image=[[1, 2, 3, 4], [1, 2, 3]]), "in each list of the column 'image'"),
    "mine.parquet: two lists": (cells(box=[[1] * 4] * 2, image=[[1] * 4] * 2), "one column of lists, found box, image"),
    "mine.parquet: lists of words": (cells(image=[["a"] * 4, ["b"] * 4]), "as many numbers in each list of the col"),
    "mine.mat: cut short": (mat()[:-200], "complete .mat file"),
    "mine.mat: version 7.3": (b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM" + bytes(400), "save -v7|complete"),
    "mine.mat: no X": (mat(X=IMAGES), r"must hold X, bytes .*found X \(40, 8, 8\)"),
    "mine.mat: a label too few": (mat(y=LABELS[1:, None]), "found 40 images and 39 labels"),
    "mine.libsvm: cut after a pair": (b"1 1:0.5 2:0.5\n2 1:0.5", "a last line without a line break"),
    "mine.libsvm: cut short": (b"1 1:0.5 2:0.5\n2 1:0.5 2:\n", "complete sparse text"),
    "mine.bz2: cut short": (b"BZh91AY&SY" + bytes(9), "complete sparse text"),
    "mine.h5: cut short": (b"\x89HDF\r\n\x1a\n" + bytes(9), "needs h5py|complete HDF5 file"),
    "x-images-idx3-ubyte: images without labels": (idx.encode(IMAGES), "file of train labels .* the folder of both"),
    "mine.zip: a web page for the images": (
        zipped(**{"train-images-idx3-ubyte": b"<!DOCTYPE html>", "train-labels-idx1-ubyte": idx.encode(LABELS)}),
        "files that are called so, found train-images-idx3-ubyte, a web page: download the file again",
    ),
    "mine.zip: cut short": (zipped(train__csv=csv())[:-30], "complete zip file|complete file of numpy"),
    "mine.zip: several candidates": (
        zipped(a_train__csv=csv(), b_train__csv=csv()),
        r"one file of train images, found a_train.csv, b_train.csv; .*data\.subset=WORD",
    ),
    "mine.zip: two forms": (zipped(a__csv=csv(), b__npz=npz()), r"found CSV \(a\.csv\); npz \(b\.npz\)"),
    "mine.zip: nothing": (zipped(), "2 to 256 folders"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_refused_in_one_line(tmp_path: Path, read: Read, what: str) -> None:
    content, expected_error = BAD[what]
    (path := tmp_path / what.partition(":")[0]).write_bytes(content)
    with pytest.raises(UserError, match=expected_error) as raised:
        read(path)
    assert "\n" not in str(raised.value)
    assert str(tmp_path) in str(raised.value) or "there must be one" in str(raised.value)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("given", "expected_error"),
    [
        ({"subset": "letters"}, "parameter 'data.subset' must be a word in the names"),
        ({"label_column": "digit"}, "parameter 'data.label_column' must be a column of .* not 'digit'"),
        ({"size": "7x9"}, "found 64, which is not 7x9"),
    ],
    ids=str,
)
def test_a_parameter_that_does_not_fit_the_file_is_named(
    tmp_path: Path, read: Read, given: dict[str, Any], expected_error: str
) -> None:
    (tmp_path / "mine.csv").write_bytes(csv())
    with pytest.raises(UserError, match=expected_error):
        read(tmp_path / "mine.csv", **given)


def fill(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(csv())


def archive(path: Path) -> None:
    with tarfile.open(path, "w:gz") as opened:
        opened.addfile(tarfile.TarInfo("0/one.png"))


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps([0] * 1000))


def web_page(path: Path) -> None:
    path.write_text("<!DOCTYPE html><title>403 Forbidden</title>")


def pointer(folder: Path) -> None:
    (folder / "train-images-idx3-ubyte").write_bytes(POINTER)


FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda folder: None, "2 to 256 folders of a class, found 0; put the pictures of each"),
    "test alone": (lambda folder: fill(folder, "test.csv"), r"must hold training data, .* alone; .*predict.folder="),
    "an archive": (lambda folder: archive(folder / "digits.tar.gz"), "digits.tar.gz, an archive: unpack it"),
    "a pickle": (lambda folder: pickled(folder / "training.pt"), r"training.pt, a pickle, .*savez"),
    "a web page": (lambda folder: web_page(folder / "digits.gz"), "digits.gz, a web page: download the file"),
    "pointers of git-lfs": (
        pointer,
        r"must hold the files themselves, found pointers of git-lfs \(train-images-idx3-ubyte\); run `git lfs pull`",
    ),
    "a shard missing": (
        lambda folder: fill(folder, "train-00000-of-00003.csv", "train-00002-of-00003.csv"),
        r"must hold all 3 files of train, found 2 without train-00001-of-00003\.csv; get it",
    ),
    "a folder test alone": (lambda folder: (folder / "test" / "a").mkdir(parents=True), "a folder train next to test"),
}


@pytest.mark.parametrize("what", FOLDERS)
def test_a_bad_folder_is_refused_in_one_line(tmp_path: Path, read: Read, what: str) -> None:
    change, expected_error = FOLDERS[what]
    change(tmp_path)
    with pytest.raises(UserError, match=expected_error):
        read(tmp_path)


def test_medmnists_own_validation_split_is_used_and_its_colours_are_made_grey(tmp_path: Path, read: Read) -> None:
    """The layout of medmnist: six arrays, labels (N, 1), colours last."""
    parts = {"train": slice(0, 24), "val": slice(24, 32), "test": slice(32, 40)}
    coloured = np.repeat(IMAGES[..., None], 3, axis=3)
    arrays: dict[str, Any] = {f"{split}_images": coloured[part] for split, part in parts.items()}
    arrays |= {f"{split}_labels": LABELS[part, None] for split, part in parts.items()}
    np.savez(tmp_path / "bloodmnist.npz", **arrays)
    found = read(tmp_path / "bloodmnist.npz")
    assert found.card.images == {"train": 24, "valid": 8, "test": 8}
    np.testing.assert_array_equal(found.valid.images, IMAGES[parts["val"]])
    assert "colours are made grey" in found.card.decided[0]


@pytest.mark.parametrize(("count", "subset"), [(112_800, "balanced"), (124_800, "letters"), (240_000, "digits")])
def test_as_many_images_as_emnist_has_are_asked_which_way_up_they_are(count: int, subset: str) -> None:
    with pytest.raises(UserError, match=f"it.npz .*{count:,}.* as EMNIST's {subset}, .*data.transposed=true, or false"):
        expect_not_emnist((count, 28, 28), "it.npz")
    expect_not_emnist((60_000, 28, 28), "it.npz")
    expect_not_emnist((count, 32, 32), "it.npz")


def test_what_is_not_known_of_the_way_up_is_said_to_be_assumed(tmp_path: Path, read: Read) -> None:
    (tmp_path / "mine.npz").write_bytes(npz())
    for given, said in ((None, "upright, as is assumed (data.transposed); light"), (False, "upright; light")):
        assert said in read(tmp_path / "mine.npz", transposed=given).card.decided[2]


def test_dark_ink_on_light_paper_is_inverted_and_said(tmp_path: Path, read: Read) -> None:
    np.savez(tmp_path / "mine.npz", images=255 - IMAGES, labels=LABELS)
    found = read(tmp_path / "mine.npz")
    assert found.card.preparation.dark_on_light
    assert found.card.preparation.paper == 0
    assert "dark ink on light, inverted" in found.card.decided[2]


def test_series_are_no_table_of_images(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_text("@problemName a\n@classLabel true a\n@data\n0.5,1.5:a\n")
    with pytest.raises(UserError, match=r"a\.ts must hold images, .* found series \(\.ts\)"):
        to_predict(tmp_path / "a.ts", "images")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_table_to_predict_that_lacks_a_pixel_is_not_asked_for_labels(tmp_path: Path, suffix: str) -> None:
    lacking, path = table().drop(columns=["label", "pixel0"]), tmp_path / f"mine.{suffix}"
    lacking.to_csv(path, index=False) if suffix == "csv" else lacking.to_parquet(path)
    with pytest.raises(UserError, match="found none of 63 columns; to be classified, it must have") as raised:
        to_predict(path, "images")
    assert "label_column" not in str(raised.value)


def test_what_is_not_read_may_lack(tmp_path: Path, read: Read) -> None:
    fill(tmp_path, "train.csv")
    (tmp_path / "logo.png").write_bytes(POINTER)
    assert read(tmp_path).card.images["train"] == 28
    fill(tmp_path, "letters-train-00000-of-00002.csv", "digits-train.csv")
    (tmp_path / "letters-test.csv").write_bytes(POINTER)
    assert read(tmp_path, subset="digits").card.images["train"] == 28


def test_a_file_without_labels_beside_one_with_them_is_named(tmp_path: Path, read: Read) -> None:
    table().to_parquet(tmp_path / "train-a.parquet")
    table().drop(columns="label").to_parquet(tmp_path / "train-b.parquet")
    with pytest.raises(UserError, match=r"train-b\.parquet must have a column of labels as the files beside it"):
        read(tmp_path)


def test_one_shard_may_be_named(tmp_path: Path, read: Read) -> None:
    fill(tmp_path, "train-00000-of-00002.csv")
    assert read(tmp_path / "train-00000-of-00002.csv").card.images["train"] == 28


def test_a_test_file_without_labels_is_left_for_predict(tmp_path: Path, read: Read) -> None:
    fill(tmp_path, "train.csv")
    table().drop(columns="label").to_csv(tmp_path / "test.csv", index=False)
    found = read(tmp_path)
    assert found.card.images == {"train": 28, "valid": 4, "test": 8}
    assert "no labels" in found.card.decided[0]
