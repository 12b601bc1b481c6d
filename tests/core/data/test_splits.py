from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_lstm.core.data.choose_split import validation
from mnist_lstm.core.data.splits import ImageSplit, data_card, digest, stratified
from mnist_lstm.errors import UserError


def numbered(count: int, classes: int = 3) -> ImageSplit:
    """Images whose pixels all equal the index of the image."""
    images = np.arange(count, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8)
    return ImageSplit(images, np.arange(count, dtype=np.uint8) % classes)


def numbers(part: ImageSplit) -> list[int]:
    return part.images[:, 0, 0].tolist()  # type: ignore[no-any-return]


def test_the_first_images_are_set_aside_and_the_others_stay_in_order() -> None:
    first, others, _ = validation(numbered(10), 3, "first", "it", 0)
    assert (numbers(first), numbers(others)) == ([0, 1, 2], [3, 4, 5, 6, 7, 8, 9])
    assert others.labels.tolist() == [0, 1, 2, 0, 1, 2, 0]


@given(st.integers(40, 200), st.integers(2, 4), st.integers(0, 2**32 - 1))
def test_a_stratified_split_holds_each_image_once_with_its_label(count: int, classes: int, seed: int) -> None:
    images = numbered(count, classes)
    parts = stratified(images, (0.2, 0.3), seed, "numbers")
    assert sorted(number for part in parts for number in numbers(part)) == list(range(count))
    for part in parts:
        np.testing.assert_array_equal(part.labels, images.labels[numbers(part)])
        assert numbers(part) == sorted(numbers(part))


def test_the_class_with_the_fewest_images_is_named_among_those_that_there_are() -> None:
    for labels, found in (([0, 2, 2, 2], "4 of 2 classes, 1 of class 0"), ([1], "1 of 1 classes, 1 of class 1")):
        part = ImageSplit(np.zeros((len(labels), 2, 2), np.uint8), np.array(labels, np.uint8))
        with pytest.raises(UserError, match=found):
            stratified(part, (0.2, 0.2), 0, "it")


def test_a_stratified_split_has_every_class_in_its_share_and_follows_from_its_seed() -> None:
    parts = stratified(numbered(200, classes=4), (0.1, 0.2), 0, "numbers")
    assert [np.bincount(part.labels).tolist() for part in parts] == [[35] * 4, [5] * 4, [10] * 4]
    one, same, other = (stratified(numbered(200), (0.1, 0.2), seed, "numbers")[2] for seed in (1, 1, 2))
    assert numbers(one) == numbers(same) != numbers(other)


CHANGES = {
    "a pixel": {"images": numbered(4).images + np.uint8(1)},
    "the order of images": {"images": numbered(4).images[::-1]},
    "a label": {"labels": np.array([0, 1, 2, 1], np.uint8)},
    "a type": {"labels": numbered(4).labels.astype(np.int8)},
    "a shape": {"images": numbered(4).images.reshape(4, 4, 1)},
    "a further array": {"weights": np.ones(4)},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_digest_changes_with(change: dict[str, Any]) -> None:
    assert digest(numbered(4).arrays() | change) != digest(numbered(4).arrays())


def test_a_digest_changes_with_a_name_and_neither_with_the_order_of_names_nor_with_the_memory_layout() -> None:
    part = numbered(4)
    same = {"labels": part.labels, "images": np.asfortranarray(part.images)}
    assert digest(same) == digest(part.arrays()) != digest({"images2": part.images, "labels": part.labels})


def test_a_data_card_says_what_each_part_holds() -> None:
    parts = dict(zip(("train", "valid", "test"), stratified(numbered(60), (0.25, 0.5), 0, "numbers"), strict=True))
    card = data_card("bars", "Bars", parts, ["a", "b", "c"], {"train_images": "12ab"})
    assert card.images == {"train": 15, "valid": 15, "test": 30}
    assert card.sha256 == {split: digest(part.arrays()) for split, part in parts.items()}
    assert (card.height, card.width, card.class_names) == (2, 2, ["a", "b", "c"])
    assert (card.name, card.requested, card.title) == ("bars", "bars", "Bars")
    assert card.files == {"train_images": "12ab"}
