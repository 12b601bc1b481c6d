"""Files of series: npz, .ts and .tsv of the same numbers give the same series, and what is doubtful is refused."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mnist_lstm.errors import UserError
from tests.datasets.forms.conftest import Read

RANDOM = np.random.default_rng(7)
NAMES = np.array(["Running", "Walking", "Standing"])
TRAIN_LABELS, TEST_LABELS = np.arange(30) % 3, np.arange(12) % 3
STEPS = {
    "TRAIN": RANDOM.normal(size=(30, 8, 2)).astype(np.float32),
    "TEST": RANDOM.normal(size=(12, 8, 2)).astype(np.float32),
}
LENGTHS = {"TRAIN": 8 - np.arange(30) % 4, "TEST": 8 - np.arange(12) % 3}
LABELS = {"TRAIN": TRAIN_LABELS, "TEST": TEST_LABELS}
HEADER = "#about\n@problemName Mine\n@timeStamps false\n@univariate false\n@dimensions 2\n@classLabel true {}\n@data\n"


def ended(split: str) -> Any:
    return np.where((np.arange(8) < LENGTHS[split][:, None])[..., None], STEPS[split], np.float32(np.nan))


def line(series: Any, label: Any) -> str:
    steps = series[~np.isnan(series[:, 0])]
    return ":".join([*(",".join(map(repr, map(float, column))) for column in steps.T), str(label)])


def ts(folder: Path, header: str = HEADER, values: Callable[[str], Any] = ended) -> Path:
    for split, labels in LABELS.items():
        rows = [line(*each) for each in zip(values(split), NAMES[labels], strict=True)]
        path = folder / f"Mine_{split}.ts"
        path.write_text("\n".join([header.format(" ".join(NAMES)) + rows[0], *rows[1:]]))
    return folder


def npz(folder: Path, values: Callable[[str], Any] = ended) -> Path:
    arrays: dict[str, Any] = {
        f"{name}_{split.lower()}": each
        for split in LABELS
        for name, each in (("x", values(split)), ("y", NAMES[LABELS[split]]))
    }
    np.savez(folder / "mine.npz", **arrays)
    return folder / "mine.npz"


def same(one: Any, other: Any) -> bool:
    return bool(one.card.sha256 == other.card.sha256 and one.card.class_names == other.card.class_names)


def test_ts_and_npz_of_the_same_series_are_the_same(tmp_path: Path, read: Read) -> None:
    found, expected = read(ts(tmp_path), split="first"), read(npz(tmp_path), split="first")
    assert same(found, expected)
    assert (found.card.kind, found.card.image_shape) == ("series", (8, 2))
    np.testing.assert_array_equal(found.test.images, ended("TEST"))
    scaled = "scaled by mean and deviation of each feature in training"
    assert found.card.decided == [
        "UEA/UCR .ts; 42 series of 5 to 8 steps of 2 features",
        "3 classes: Running, Standing, Walking",
        f"27 to train, 3 to validate (the first ones), 12 to test; {scaled}",
    ]


def test_the_training_file_brings_the_test_file_next_to_it(tmp_path: Path, read: Read) -> None:
    found = read(ts(tmp_path) / "Mine_TRAIN.ts")
    assert same(found, read(tmp_path))
    assert set(found.card.files) == {"Mine_TRAIN.ts", "Mine_TEST.ts"}


def test_keys_are_of_any_case_and_dimensions_may_be_missing(tmp_path: Path, read: Read) -> None:
    (tmp_path / "other").mkdir()
    header = "@PROBLEMNAME Mine\n@CLASSLABEL True {}\n\n@DATA\n"
    assert same(read(ts(tmp_path / "other", header)), read(ts(tmp_path) / "Mine_TRAIN.ts"))


def test_the_archives_copies_of_ts_are_left_out_and_named(tmp_path: Path, read: Read) -> None:
    ts(tmp_path)
    (tmp_path / "Mine_TRAIN.arff").write_text("@relation Mine\n@attribute a numeric\n@data\n1,2\n")
    (tmp_path / "README.md").write_text("Mine\n")
    with zipfile.ZipFile(tmp_path / "Mine.zip", "w") as archive:
        for path in sorted(tmp_path.glob("[MR]*[!p]")):
            archive.write(path, path.name)
    found = read(tmp_path / "Mine.zip")
    assert same(found, read(tmp_path / "Mine_TRAIN.ts"))
    assert "left out: Mine_TRAIN.arff" in found.card.decided[0]


@pytest.mark.parametrize("labels", [np.array([0, 1, 2]), np.array([-1, 1, 3]), np.array([1.0, 2.0, 3.0])])
def test_tsv_has_the_label_first(labels: Any, tmp_path: Path, read: Read) -> None:
    for split in LABELS:
        rows = np.column_stack([labels[LABELS[split]], ended(split)[..., 0]])
        pd.DataFrame(rows).to_csv(tmp_path / f"Mine_{split}.tsv", sep="\t", header=False, index=False, na_rep="NaN")
    found = read(tmp_path / "Mine_TRAIN.tsv")
    np.testing.assert_array_equal(found.test.images, ended("TEST")[..., :1])
    np.testing.assert_array_equal(found.test.labels, TEST_LABELS)
    assert found.card.class_names == [str(int(label)) for label in labels]


def test_series_of_one_file_are_drawn_by_class(tmp_path: Path, read: Read) -> None:
    np.savez(tmp_path / "one.npz", x=STEPS["TRAIN"][..., 0] * 9, y=TRAIN_LABELS)
    found = read(tmp_path / "one.npz")
    assert found.card.images == {"train": 21, "valid": 3, "test": 6}
    assert found.train.images.shape == (21, 8, 1)


def text(content: str | bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / "Mine_TRAIN.ts"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def start(key: str = "", rows: str = "1,2,3:a\n1,2,4:b\n") -> Callable[[Path], Path]:
    return text(f"@problemName Mine\n{key}\n@data\n{rows}")


def of_split(split: str, change: Callable[[Any], Any]) -> Callable[[Path], Path]:
    return lambda folder: npz(folder, lambda each: change(STEPS[each].copy()) if each == split else STEPS[each])


def without(values: Any) -> Any:
    values[3, 2, 1] = np.nan
    return values


MISTAKES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a missing value": (
        start("", "1,2,3:a\n1,?,3:b\n"),
        "number at each step, found a missing value in dimension 0, step 1",
    ),
    "nan": (start("", "1,NaN,3:a\n"), "line 4 must have a number at each step, found a missing value"),
    "a word": (start("", "1,x,3:a\n"), "found 'x' in dimension 0, step 1"),
    "a word after one with an underscore": (start("", "1_0,x,3:a\n"), "found 'x' in dimension 0, step 1"),
    "infinite": (start("", "1,inf,3:a\n"), "found 'inf' in dimension 0, step 1"),
    "cut in a label": (start("@classLabel true a bc", "1,2:a\n1,2:b\n"), "label of @classLabel (a, bc), found 'b'"),
    "cut in a dimension": (start("@dimensions 2", "1,2:3,4:a\n1,2:b\n"), "line 5 must have 2 dimensions, found 1"),
    "cut in the steps": (start("", "1,2,3:a\n1,2\n"), "line 5 must have as many values in each dimension, found none"),
    "dimensions of other lengths": (start("", "1,2,3:1,2:a\n"), "as many values in each dimension, found 3, 2"),
    "no series": (start("", ""), "must hold series after @data, found none"),
    "regression": (start("@targetLabel true"), "Mine_TRAIN.ts is a regression file (@targetLabel true)"),
    "times": (start("@timeStamps true", "(0,1):a\n"), "found times of steps (@timeStamps true)"),
    "no labels": (start("@classLabel false", "1,2,3\n4,5,6\n"), "must hold labels, found"),
    "not text": (text(b"@problemName \xff\n@data\n1,2:a\n"), "must be text, found"),
    "npz with a gap": (of_split("TRAIN", without), "last step, found a missing value in series 3"),
    "npz of other features": (
        of_split("TEST", lambda values: values[..., :1]),
        "features, found 2 in train, 1 in test",
    ),
    "npz of fractions": (
        of_split("TRAIN", lambda values: np.abs(values) / 99),
        "say whether it holds images or series",
    ),
    "moved as images": (npz, "data.transposed must be left out for series"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_is_no_complete_series_is_refused_in_one_line(mistake: str, tmp_path: Path, read: Read) -> None:
    make, said = MISTAKES[mistake]
    with pytest.raises(UserError, match=re.escape(said)) as raised:
        read(make(tmp_path), transposed=True if "moved" in mistake else None)
    assert "\n" not in str(raised.value)
