from typing import Any

import numpy as np
import pytest

from mnist_lstm.core.data.labels import mapped
from mnist_lstm.errors import UserError


def test_labels_from_zero_stay_as_they_are() -> None:
    found = mapped({"train": np.array([2, 0, 1], np.uint8), "test": np.array([1])}, None, "file")
    assert found.parts["train"].tolist() == [2, 0, 1]
    assert found.parts["train"].dtype == np.uint8
    assert (found.class_names, found.sentence) == (["0", "1", "2"], "3 classes, labels 0 to 2")


@pytest.mark.parametrize(
    ("labels", "mapped_to", "names", "said"),
    [
        ([0, 1, 3], [0, 1, 2], ["0", "1", "3"], "labels 0 to 3 without 2 are mapped to"),
        ([1, 2, 3], [0, 1, 2], ["1", "2", "3"], "labels 1 to 3 are mapped to"),
        ([-1, 1], [0, 1], ["-1", "1"], "labels -1 to 1 without 0"),
        (["10", "9"], [1, 0], ["9", "10"], "labels 9 to 10"),
        (["oak", "ash"], [1, 0], ["ash", "oak"], "2 classes: ash, oak"),
        ([b"oak", b"ash"], [1, 0], ["ash", "oak"], "2 classes: ash, oak"),
        ([1.0, 0.0], [1, 0], ["0", "1"], "labels 0 to 1"),
        ([True, False], [1, 0], ["0", "1"], "labels 0 to 1"),
    ],
    ids=str,
)
def test_labels_are_mapped_in_order_and_said(labels: Any, mapped_to: list[int], names: list[str], said: str) -> None:
    found = mapped({"train": np.array(labels)}, None, "file")
    assert found.parts["train"].tolist() == mapped_to
    assert found.class_names == names
    assert said in found.sentence


def test_names_of_labels_are_those_of_the_source() -> None:
    found = mapped({"train": np.array([1, 2])}, {1: "A", 2: "B"}, "file")
    assert (found.class_names, found.sentence) == (["A", "B"], "2 classes: labels 1 to 2 are mapped to A, B")


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"train": np.array([0, np.nan])}, r"whole numbers or words for labels, found nan at 1"),
        ({"train": np.array([0, np.inf])}, r"found inf at 1"),
        ({"train": np.array([0.5, 1])}, r"found 0.5 at 0"),
        ({"train": np.array(["oak", ""])}, r"a label for each image, found none at 1"),
        ({"train": np.array([7, 7])}, r"2 to 256 classes, found 1"),
        ({"train": np.arange(300)}, r"found 300 different labels; .*data\.label_column"),
        (
            {"train": np.array([0, 1]), "test": np.array([2])},
            r"labels in test that its training data have .*, found 2",
        ),
    ],
    ids=str,
)
def test_labels_that_cannot_be_mapped_are_named(parts: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told):
        mapped(parts, None, "file")
