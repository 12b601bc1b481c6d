from typing import Any

import numpy as np
import pytest

from mnist_lstm.core.data.choose_split import three_parts, validation
from mnist_lstm.core.data.splits import ImageSplit
from mnist_lstm.errors import UserError


def part(labels: Any) -> ImageSplit:
    """Images whose pixel is their position."""
    labels = np.asarray(labels, np.uint8)
    return ImageSplit(np.arange(len(labels)).reshape(-1, 1, 1), labels)


MIXED, SORTED = part(np.arange(1200) % 4), part(np.arange(1200) // 300)


def positions(of: ImageSplit) -> list[int]:
    return of.images.ravel().tolist()  # type: ignore[no-any-return]


def test_the_first_twelfth_of_mixed_images_validates() -> None:
    found, said = three_parts({"train": MIXED, "test": part([0, 1])}, "auto", "file", 0)
    assert positions(found["valid"]) == list(range(100))
    assert positions(found["train"]) == list(range(100, 1200))
    assert said == "1,100 to train, 100 to validate (the first ones), 2 to test"


def test_of_images_that_are_sorted_by_class_every_class_validates() -> None:
    found, said = three_parts({"train": SORTED, "test": part([0, 1])}, "auto", "file", 0)
    assert np.bincount(found["valid"].labels).tolist() == [25] * 4
    assert "drawn by class; the first ones have other shares" in said
    with pytest.raises(UserError, match=r"the first 100 lack 3.*data\.split=stratified"):
        validation(SORTED, 100, "first", "file", 0)


def test_a_validation_split_of_the_files_is_used() -> None:
    given = {"train": MIXED, "valid": part([0, 1, 2]), "test": part([3])}
    found, said = three_parts(given, "auto", "file", 0)
    assert found == given
    assert said == "1,200 to train, 3 to validate, 1 to test"


@pytest.mark.parametrize(
    ("how", "images"), [("auto", (840, 120, 240)), ("80/10/10", (960, 120, 120)), ("50/25/25", (600, 300, 300))]
)
def test_without_a_test_split_one_is_drawn_by_class(how: str, images: tuple[int, ...]) -> None:
    found, _ = three_parts({"train": SORTED}, how, "file", 0)
    assert tuple(len(each) for each in found.values()) == images
    for each in found.values():
        assert len(set(np.bincount(each.labels).tolist())) == 1
    assert sorted(at for each in found.values() for at in positions(each)) == list(range(1200))
    again, other = (three_parts({"train": SORTED}, how, "file", seed)[0] for seed in (0, 1))
    assert positions(again["test"]) == positions(found["test"]) != positions(other["test"])


def test_a_number_says_how_many_first_images_train_and_70000_are_split_by_custom() -> None:
    found, _ = three_parts({"train": MIXED}, "1000", "file", 0)
    assert positions(found["test"]) == list(range(1000, 1200))
    assert positions(found["train"])[-1] == 999
    by_custom, said = three_parts({"train": part(np.arange(70_000) % 10)}, "auto", "file", 0)
    assert {split: len(each) for split, each in by_custom.items()} == {"train": 55_000, "valid": 5_000, "test": 10_000}
    assert "10,000 to test (those after the first 60,000)" in said
    with pytest.raises(UserError, match=r"give data\.split a smaller number"):
        three_parts({"train": MIXED}, "1200", "file", 0)
