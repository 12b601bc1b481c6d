"""The same digits in each form, written by the library that people use for it, are the same bits as from IDX."""

import bz2
import gzip
import io
import json
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.io
from sklearn.datasets import dump_svmlight_file

from mnist_lstm.core.data.splits import Splits
from mnist_lstm.datasets.forms.raw import RawData, RawSplit
from mnist_lstm.datasets.own_data import Named, assembled
from mnist_lstm.errors import UserError
from tests.datasets.forms.conftest import Digits, Read
from tests.support import idx
from tests.support.picture_files import file_of
from tests.support.projects import data_parameters

Write = Callable[[Path, Digits], Any]


def idx_plain(folder: Path, digits: Digits) -> None:
    for name, array in digits.by_file().items():
        (folder / name.removesuffix(".gz")).write_bytes(gzip.decompress(idx.encode(array)))


def idx_twice(folder: Path, digits: Digits) -> None:
    idx_plain(folder, digits)
    for name, array in digits.by_file().items():
        (folder / name).write_bytes(idx.encode(array))


def idx_with_dots(folder: Path, digits: Digits) -> None:
    for name, array in digits.by_file().items():
        (folder / name.replace("-idx", ".idx")).write_bytes(idx.encode(array))


def idx_bytes(array: Any, code: int, dtype: str) -> bytes:
    header = struct.pack(f">4B{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + bytes(array.astype(dtype).tobytes())


def idx_of_floats(folder: Path, digits: Digits) -> None:
    for name, array in digits.by_file().items():
        code, dtype, values = (0x0E, ">f8", array / 255) if array.ndim == 3 else (0x0C, ">i4", array)
        (folder / name.removesuffix(".gz")).write_bytes(idx_bytes(values, code, dtype))


def emnist(folder: Path, digits: Digits) -> Path:
    """EMNIST's zip file: images transposed, several data sets of one name scheme, a mapping."""
    with zipfile.ZipFile(folder / "gzip.zip", "w") as archive:
        for subset, shift in (("letters", 1), ("digits", 0)):
            for split, images, labels in digits.parts():
                name = f"gzip/emnist-{subset}-{split}"
                archive.writestr(f"{name}-images-idx3-ubyte.gz", idx.encode(images.transpose(0, 2, 1).copy()))
                archive.writestr(f"{name}-labels-idx1-ubyte.gz", idx.encode(labels + np.uint8(shift)))
            mapping = "".join(f"{label + shift} {65 + label}\n" for label in range(10))
            archive.writestr(f"gzip/emnist-{subset}-mapping.txt", mapping)
    return folder / "gzip.zip"


def qmnist(folder: Path, digits: Digits) -> None:
    for split, images, labels in digits.parts():
        (folder / f"qmnist-{split}-images-idx3-ubyte.gz").write_bytes(idx.encode(images))
        about = np.zeros((len(labels), 8), np.int32)
        about[:, 0], about[:, 2:] = labels, 77
        (folder / f"qmnist-{split}-labels-idx2-int.gz").write_bytes(gzip.compress(idx_bytes(about, 0x0C, ">i4")))


def keras(folder: Path, digits: Digits) -> Path:
    arrays = {"x_train": digits.train, "y_train": digits.train_labels}
    np.savez(folder / "mnist.npz", **arrays, x_test=digits.test, y_test=digits.test_labels)
    return folder / "mnist.npz"


def arrays_apart(images_name: str, labels_name: str) -> Callable[[Path, Digits], None]:
    """Writes images and labels of each split as files of their own, with one array each."""

    def write(folder: Path, digits: Digits) -> None:
        for split, images, labels in digits.parts():
            np.savez_compressed(folder / images_name.format(split), images)
            np.savez_compressed(folder / labels_name.format(split), labels)

    return write


kuzushiji = arrays_apart("k49-{}-imgs.npz", "k49-{}-labels.npz")
kannada = arrays_apart("X_kannada_MNIST_{}.npz", "y_kannada_MNIST_{}.npz")


def npy_of_floats(folder: Path, digits: Digits) -> None:
    for name, array in zip(("X_train", "y_train", "X_test", "y_test"), digits, strict=True):
        np.save(folder / f"{name}.npy", (array / 255).astype(np.float32) if array.ndim == 3 else array.astype(float))


def frame(images: Any, labels: Any, first: int = 0) -> pd.DataFrame:
    pixels = {f"pixel{first + at}": column for at, column in enumerate(images.reshape(len(images), -1).T)}
    return pd.DataFrame({"label": labels, **pixels} if labels is not None else pixels)


def fashion_csv(folder: Path, digits: Digits) -> None:
    for split, images, labels in digits.parts():
        frame(images, labels, 1).to_csv(folder / f"fashion-mnist_{split}.csv", index=False)


def pjreddie_csv(folder: Path, digits: Digits) -> None:
    for split, images, labels in digits.parts():
        frame(images, labels).to_csv(folder / f"mnist_{split}.csv", index=False, header=False)


def label_last_csv(folder: Path, digits: Digits) -> None:
    for name, images, labels in digits.parts("digits.tra", "digits.tes"):
        table = frame(images, labels)
        table[[*table.columns[1:], "label"]].to_csv(folder / name, index=False, header=False)


def european_csv(folder: Path, digits: Digits) -> None:
    """Semicolons between values and commas within them, as Excel writes in most of Europe."""
    for split, images, labels in digits.parts():
        frame(images / 255, labels).to_csv(folder / f"{split}.csv", sep=";", decimal=",", index=False)


def unicode_text(folder: Path, digits: Digits) -> None:
    """Excel's "Unicode text": UTF-16 with tabs."""
    for split, images, labels in digits.parts():
        frame(images, labels).to_csv(folder / f"{split}.txt", sep="\t", index=False, encoding="utf-16")


def csv_with_row_numbers(folder: Path, digits: Digits) -> None:
    """As pandas writes a table without index=False, and then with a comma after each row."""
    frame(digits.train, digits.train_labels).to_csv(folder / "train.csv")
    table = frame(digits.test, digits.test_labels).to_csv(index=False, lineterminator=",\r\n")
    (folder / "test.csv").write_bytes(table.encode())


def csv_with_one_name(folder: Path, digits: Digits) -> None:
    """A header that names the labels alone, as a spreadsheet writes it."""
    for split, images, labels in digits.parts():
        rows = frame(images, labels).to_csv(index=False, header=False)
        (folder / f"{split}.csv").write_text("label" + "," * images[0].size + "\n" + rows)


def parquet_with_row_numbers(folder: Path, digits: Digits) -> None:
    for split, images, labels in digits.parts():
        table = frame(images, labels)
        table.set_index(pd.Index(np.arange(len(table)) * 2)).to_parquet(folder / f"{split}.parquet")


def kaggle_zip(folder: Path, digits: Digits) -> Path:
    with zipfile.ZipFile(folder / "digits.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for split, images, labels in digits.parts():
            archive.writestr(f"{split}.csv", frame(images, labels).to_csv(index=False))
        archive.writestr("sample_submission.csv", "ImageId,Label\n1,0\n2,0\n")
    return folder / "digits.zip"


def hugging_face(folder: Path, digits: Digits) -> None:
    names = {"info": {"features": {"label": {"names": [str(label) for label in range(10)], "_type": "ClassLabel"}}}}
    for split, images, labels in digits.parts():
        pictures = [{"bytes": file_of(image), "path": None} for image in images]
        table = pa.table({"image": pictures, "label": labels.astype(np.int64)})
        table = table.replace_schema_metadata({b"huggingface": json.dumps(names).encode()})
        half = len(labels) // 2
        for shard, part in enumerate((table[:half], table[half:])):
            (folder / "data").mkdir(exist_ok=True)
            pq.write_table(part, folder / "data" / f"{split}-0000{shard}-of-00002.parquet")


def wide_parquet(folder: Path, digits: Digits) -> None:
    """OpenML's columns: pixels, then the class as text."""
    for split, images, labels in digits.parts():
        table = frame(images, None, 1)
        table["class"] = labels.astype(str)
        table.to_parquet(folder / f"{split}.parquet")


def parquet_of_rows(folder: Path, digits: Digits) -> None:
    """As pandas writes images that are lists: a list of rows of pixels, or of all pixels, in each cell."""
    train, test = [image.tolist() for image in digits.train], [image.ravel() for image in digits.test]
    pd.DataFrame({"image": train, "label": digits.train_labels}).to_parquet(folder / "train.parquet")
    pd.DataFrame({"label": digits.test_labels, "pixels": test}).to_parquet(folder / "test.parquet")


def arff(folder: Path, digits: Digits) -> None:
    for split, images, labels in digits.parts():
        rows = images.reshape(len(images), -1)
        names = "".join(f"@ATTRIBUTE pixel{at + 1} real\n" for at in range(rows.shape[1]))
        lines = [",".join(map(str, [*row, f"'{label}'"])) for row, label in zip(rows, labels, strict=True)]
        names = f"% from OpenML\n@RELATION mnist\n\n{names}@ATTRIBUTE class {{0,1,2,3,4,5,6,7,8,9}}\n\n@DATA"
        (folder / f"{split}.arff").write_text("\n".join([names, *lines, ""]))


def svhn(folder: Path, digits: Digits) -> None:
    for split, images, labels in digits.parts():
        coloured = np.repeat(images[..., None], 3, axis=3).transpose(1, 2, 3, 0)
        ten_for_zero = np.where(labels == 0, 10, labels)[:, None]
        scipy.io.savemat(folder / f"{split}_32x32.mat", {"X": coloured, "y": ten_for_zero}, do_compression=True)


def usps(folder: Path, digits: Digits) -> None:
    for name, images, labels in digits.parts("usps.bz2", "usps.t.bz2"):
        content = io.BytesIO()
        dump_svmlight_file(images.reshape(len(images), -1) / 127.5 - 1, labels + 1.0, content, zero_based=False)
        (folder / name).write_bytes(bz2.compress(content.getvalue()))


def mnist_of_libsvm(folder: Path, digits: Digits) -> None:
    """Pixels that are 0 in all images are left out, also the last ones, as in LIBSVM's mnist (780 columns)."""
    for name, images, labels in digits.parts("mnist", "mnist.t"):
        rows = [
            " ".join([str(label), *(f"{at + 1}:{value}" for at, value in enumerate(image.ravel()) if value)])
            for image, label in zip(images, labels, strict=True)
        ]
        (folder / name).write_text("\n".join([*rows, ""]))


def flat_one_hot(folder: Path, digits: Digits) -> None:
    np.savez(
        folder / "mine.npz",
        x_train=digits.train.reshape(len(digits.train), -1),
        y_train=np.eye(10)[digits.train_labels],
        x_test=digits.test.reshape(len(digits.test), -1).astype(np.float32),
        y_test=np.eye(10, dtype=bool)[digits.test_labels],
    )


def flat_fractions(folder: Path, digits: Digits) -> None:
    flat = {f"x_{split}": images.reshape(len(images), -1) / 255 for split, images, _ in digits.parts()}
    np.savez(folder / "mine.npz", y_train=digits.train_labels, y_test=digits.test_labels, **flat)


def usps_h5(folder: Path, digits: Digits) -> Path:
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "usps.h5", "w") as file:
        for split, images, labels in digits.parts():
            group = file.create_group(split)
            group["data"] = (images.reshape(len(images), -1) / 255).astype(np.float32)
            group["target"] = labels[:, np.newaxis]  # in a column, as some have them
    return folder / "usps.h5"


def mnist_png(folder: Path, digits: Digits) -> None:
    """Folders training and testing, as the archive mnist_png has them, with what Windows and macOS leave."""
    for split, images, labels in digits.parts("training", "testing"):
        for at, (image, label) in enumerate(zip(images, labels, strict=True)):
            place = folder / "mnist_png" / split / str(label)
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{at}.png").write_bytes(file_of(image))
        (place / "Thumbs.db").write_bytes(b"no picture")
    (folder / "__MACOSX").mkdir()


FORMS: dict[str, tuple[Write, dict[str, Any], str]] = {
    "IDX, not gzipped": (idx_plain, {}, "IDX"),
    "IDX, both gzipped and not": (idx_twice, {}, "IDX"),
    "IDX with dots": (idx_with_dots, {}, "IDX"),
    "IDX of doubles": (idx_of_floats, {}, "pixels 0 to 1 became 0 to 255"),
    "EMNIST": (emnist, {"subset": "letters"}, "rows and columns swapped"),
    "QMNIST": (qmnist, {}, "IDX"),
    "Keras": (keras, {}, "numpy"),
    "Kuzushiji-49": (kuzushiji, {}, "numpy"),
    "Kannada-MNIST": (kannada, {}, "numpy"),
    "npy of floats": (npy_of_floats, {}, "pixels 0 to 1 became 0 to 255"),
    "CSV of Fashion-MNIST": (fashion_csv, {}, "CSV"),
    "CSV of pjreddie": (pjreddie_csv, {}, "CSV"),
    "CSV with the label last": (label_last_csv, {}, "CSV"),
    "CSV of a European Excel": (european_csv, {}, "CSV"),
    "CSV in UTF-16": (unicode_text, {}, "CSV"),
    "CSV with row numbers and empty columns": (csv_with_row_numbers, {}, "columns without a name are left out"),
    "CSV with a name for the labels alone": (csv_with_one_name, {}, "CSV"),
    "parquet with row numbers": (parquet_with_row_numbers, {}, "parquet"),
    "CSV in Kaggle's zip": (kaggle_zip, {}, "CSV"),
    "parquet of Hugging Face": (hugging_face, {}, "parquet"),
    "parquet of columns": (wide_parquet, {}, "parquet"),
    "parquet of lists": (parquet_of_rows, {}, "parquet"),
    "ARFF of OpenML": (arff, {}, "ARFF"),
    "SVHN": (svhn, {}, "label 10 is the digit 0"),
    "USPS of LIBSVM": (usps, {}, "labels 1 to 10 are the digits 0 to 9"),
    "MNIST of LIBSVM": (mnist_of_libsvm, {"size": "28x28"}, "LIBSVM"),
    "npz, flat and one-hot": (flat_one_hot, {}, "numpy"),
    "npz, flat fractions": (flat_fractions, {"kind": "images"}, "pixels 0 to 1 became 0 to 255"),
    "USPS in HDF5": (usps_h5, {}, "HDF5"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_gives_the_images_and_labels_of_idx(
    own: Path, digits: Digits, as_idx: Splits, read: Read, form: str
) -> None:
    write, given, said = FORMS[form]
    found = read(write(own, digits) or own, **given)
    assert found.card.sha256 == as_idx.card.sha256
    assert said in "; ".join(found.card.decided)
    assert len(found.card.decided) == 3
    if form != "EMNIST":
        assert found.card.class_names == [str(digit) for digit in range(10)]


def test_commas_within_labels_are_no_decimals(own: Path, digits: Digits, as_idx: Splits, read: Read) -> None:
    for split, images, labels in digits.parts():
        table = frame(images / 255, [f"digit, {label}" for label in labels])
        table.to_csv(own / f"{split}.csv", sep=";", index=False)
    found = read(own)
    assert found.card.sha256 == as_idx.card.sha256
    assert found.card.class_names[1] == "digit, 1"


def test_folders_of_pictures_give_the_images_and_labels_of_idx(
    own: Path, digits: Digits, as_idx: Splits, read: Read
) -> None:
    """Their order is another: by class."""
    mnist_png(own, digits)
    found = read(own)
    assert found.card.images == as_idx.card.images
    assert sorted(rows(found.test)) == sorted(rows(as_idx.test))
    assert sorted(rows(found.valid, found.train)) == sorted(rows(as_idx.valid, as_idx.train))
    assert "training, testing" in found.card.decided[0]


def rows(*parts: Any) -> list[bytes]:
    return [
        bytes([label]) + image.tobytes()
        for part in parts
        for image, label in zip(part.images, part.labels, strict=True)
    ]


@pytest.mark.parametrize("split", ["first", "stratified"])
def test_reading_takes_at_most_twice_the_memory_of_the_pixels(split: str) -> None:
    data = data_parameters(path="mine", split=split)
    tracemalloc.start()
    try:
        images = {part: np.zeros((count, 28, 28), np.uint8) for part, count in (("train", 24_000), ("test", 4_000))}
        pixels = sum(each.nbytes for each in images.values())
        raw = RawData(
            "it", {name: RawSplit(each, np.arange(len(each)) % 5) for name, each in images.items()}, transposed=True
        )
        del images
        assembled(raw, data, Named("mine", "mine", "mine"), {})
        fixed = 16 * 2**20  # of samples and blocks, whatever the number of images
        assert tracemalloc.get_traced_memory()[1] < 2.1 * pixels + fixed
    finally:
        tracemalloc.stop()


def test_labels_in_a_column_are_read_and_one_hot_ones_counted() -> None:
    images, labels = np.random.default_rng(1).integers(0, 256, (40, 8, 8), np.uint8), np.arange(40) % 4
    data, named = data_parameters(path="mine", dark_on_light=False), Named("mine", "mine", "mine")
    splits = assembled(RawData("it", {"train": RawSplit(images, labels[:, np.newaxis])}), data, named, {})
    assert sum(part.labels.size for part in (splits.train, splits.valid, splits.test)) == 40
    with pytest.raises(UserError, match="found 40 images and 160 labels"):
        assembled(RawData("it", {"train": RawSplit(images, np.eye(4, dtype=int)[labels])}), data, named, {})
