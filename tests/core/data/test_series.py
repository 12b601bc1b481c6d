"""Numbers are series only where that is certain, and complete."""

import re
from typing import Any

import numpy as np
import pytest

from mnist_lstm.core.data import series
from mnist_lstm.errors import UserError

RANDOM = np.random.default_rng(5)
STEPS = RANDOM.normal(size=(8, 7, 3))
GREY = RANDOM.integers(0, 256, (8, 6, 6))
ENDED = np.where(np.arange(6)[:, None] < 4, RANDOM.normal(size=(8, 6, 6)), np.nan)


@pytest.mark.parametrize(
    ("array", "kind", "expected"),
    [
        (STEPS, None, True),
        (STEPS[..., 0], None, True),
        (STEPS.astype(np.float32), "images", False),
        (GREY, None, False),
        (GREY[:0, 0].astype(np.int64), None, False),  # empty parts are refused later, by name
        (GREY[:, :4].astype(np.int64) * 2 - 1, None, False),
        (GREY.astype(np.float64), None, False),
        (GREY / 255, None, False),
        (GREY[:, :4] / 255, "images", False),
        (GREY, "series", True),
        (ENDED, None, True),
    ],
)
def test_what_numbers_are(array: Any, kind: str | None, expected: bool) -> None:
    assert series.are_series({"train": array}, kind, "here") is expected


@pytest.mark.parametrize("array", [GREY[:, :4] / 255, GREY[:, :4].astype(np.int16) - 9, GREY[:, 0] - 9.0])
def test_what_may_be_either_is_refused_with_the_parameter_that_decides(array: Any) -> None:
    with pytest.raises(UserError, match=r"here must say whether .* in the shape \(8, .*6\); pass --params data.kind=s"):
        series.are_series({"train": array}, None, "here")


def test_parts_have_the_steps_of_the_longest_series() -> None:
    found = series.checked({"train": ENDED, "test": np.ones((2, 9, 6))}, "here")
    assert {split: array.shape for split, array in found.items()} == {"train": (8, 9, 6), "test": (2, 9, 6)}
    assert series.sentence(found) == "10 series of 4 to 9 steps of 6 features"
    assert series.checked({"train": ENDED}, "here")["train"].shape == (8, 4, 6)
    assert series.checked({"train": STEPS[..., 0]}, "here")["train"].shape == (8, 7, 1)


def broken(place: tuple[int, ...], value: float) -> Any:
    array = np.where(np.arange(7)[:, None] < 6, STEPS, np.nan)
    array[place] = value
    return array


MISTAKES = {
    "missing in the middle": (broken((3, 2, 1), np.nan), "a missing value in series 3 (from 0), step 2, feature 1"),
    "missing at first": (broken((0, 0, 0), np.nan), "a missing value in series 0 (from 0), step 0, feature 0"),
    "one feature longer": (broken((2, 6, 2), 1.0), "a missing value in series 2 (from 0), step 6, feature 0"),
    "infinite": (broken((1, 5, 2), np.inf), "an infinite number, or one beyond float32 in series 1 (from 0), step 5"),
    "beyond float32": (broken((1, 5, 2), 1e300), "an infinite number, or one beyond float32 in series 1 (from 0)"),
    "no step": (broken((4,), np.nan), "of a step or more, found none in series 4 (from 0)"),
    "of words": (np.full((8, 7, 3), "a"), "series of numbers (N, steps, features)"),
    "four axes": (STEPS[..., None], "or (N, steps) of one feature, found float64 (8, 7, 3, 1)"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_series_that_are_not_complete_are_refused_with_the_place(mistake: str) -> None:
    array, said = MISTAKES[mistake]
    with pytest.raises(UserError, match=re.escape(said)):
        series.checked({"train": array}, "here")


def test_splits_have_the_same_features() -> None:
    with pytest.raises(UserError, match=r"one number of features, found 3 in train, 2 in test"):
        series.checked({"train": STEPS, "test": STEPS[..., :2]}, "here")
