"""A data set whose accuracy would deceive is told before it is trained on."""

from typing import Any

import numpy as np
import pytest

from mnist_lstm.core.data.splits import ImageSplit, Splits, data_card
from mnist_lstm.core.data.suspect import warnings_about
from mnist_lstm.errors import UserError

DRAWN = np.random.default_rng(0).integers(0, 256, (300, 4, 4), np.uint8)


def splits(train: Any = DRAWN[:200], valid: Any = DRAWN[200:250], test: Any = DRAWN[250:]) -> Splits:
    kind = "images" if train.dtype == np.uint8 else "series"
    parts = {
        name: ImageSplit(images, np.zeros(len(images), np.uint8))
        for name, images in (("train", train), ("valid", valid), ("test", test))
    }
    return Splits(**parts, card=data_card("mine", "mine", parts, ["a"], {}, kind=kind))


def test_a_data_set_of_images_that_differ_gives_no_warning() -> None:
    assert warnings_about(splits()) == []
    assert warnings_about(splits(train=DRAWN[:1])) == []


@pytest.mark.parametrize(("split", "said"), [("test", "50 test images"), ("valid", "50 validation images")])
def test_images_of_training_among_the_others_are_counted(split: str, said: str) -> None:
    held_out = np.concatenate([DRAWN[150:170], DRAWN[:1], DRAWN[270:299]])
    (found,) = warnings_about(splits(**{split: held_out}))
    assert found.startswith(f"21 of the {said} of mine are also in training")


def test_one_in_a_hundred_may_be_there_by_chance() -> None:
    assert warnings_about(splits(test=np.concatenate([DRAWN[:1], DRAWN[200:299]]))) == []
    assert warnings_about(splits(test=np.concatenate([DRAWN[:2], DRAWN[202:300]])))
    assert warnings_about(splits(test=np.concatenate([DRAWN[:1], DRAWN[200:205]]))) == []  # one of few


def test_blank_images_are_counted() -> None:
    train = DRAWN[:200].copy()
    train[:150] = np.arange(150, dtype=np.uint8)[:, None, None]
    assert warnings_about(splits(train)) == ["150 of the 200 training images of mine are blank, of one value each."]


@pytest.mark.parametrize(("value", "hint"), [(0, r"\. Pixels from 0 to 1 .* but for white\.$"), (7, r"alike\.$")])
def test_images_that_are_all_alike_are_refused(value: int, hint: str) -> None:
    with pytest.raises(UserError, match=rf"^mine must hold images that differ, found 200 to train that are .*{hint}"):
        warnings_about(splits(np.full_like(DRAWN[:200], value)))
    warnings_about(splits(np.full_like(DRAWN[:10], value)))  # a first trial


def test_where_only_white_was_left_of_the_pixels_that_is_named_as_the_reason() -> None:
    white = DRAWN // 255 * 255
    assert all("made whole numbers before" in sentence for sentence in warnings_about(splits(white[:200], white[:50])))
    assert warnings_about(splits(white[:200], white[:50]))


def test_series_are_compared_with_their_ends() -> None:
    series = np.random.default_rng(1).normal(size=(90, 5, 2)).astype(np.float32)
    series[:, 4:] = np.nan
    flat = series.copy()
    flat[:20, :4] = 1.5 + np.arange(20)[:, None, None]  # constant ones, which are no fault
    assert warnings_about(splits(series[:30], series[30:60], series[60:])) == []
    found = warnings_about(splits(flat[:30], series[30:60], series[25:55]))
    assert [sentence.split(" of mine")[0] for sentence in found] == ["5 of the 30 test series"]
