from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_lstm.core.data.data_card import DataProfile
from mnist_lstm.core.data.preparation import Preparation
from mnist_lstm.core.inference.doubt import doubt

DIGITS = DataProfile("mnist", "MNIST", 28, 28, [str(digit) for digit in range(10)])
SURE = np.eye(10)[3]
Image = NDArray[np.uint8]


def inked(*boxes: tuple[slice, slice]) -> Image:
    image = np.zeros((28, 28), np.uint8)
    for box in boxes:
        image[box] = 255
    return image


ONE = inked(np.s_[4:24, 12:16])
SHAPES = {
    "": ONE,
    "hardly any ink": inked(np.s_[4:8, 4:7]),
    "ink fills its box": inked(np.s_[4:24, 5:23]),
    "wider than a digit": inked(np.s_[12:16, 4:24]),
    "several parts far apart": inked(np.s_[4:24, 4:7], np.s_[4:24, 12:15]),
    "more loops than a digit has": inked(np.s_[4:24, 10:18])
    - inked(*(np.s_[row : row + 2, 13:15] for row in (5, 10, 15, 20))),
}


@pytest.mark.parametrize("reason", SHAPES)
def test_the_shape_of_the_ink_is_doubted(reason: str) -> None:
    assert doubt(SHAPES[reason], SURE, DIGITS) == reason


def test_high_parts_next_to_or_below_each_other_are_two_digits_and_a_bar_above_a_five_is_not() -> None:
    beside = inked(np.s_[4:24, 8:12], np.s_[4:24, 13:17])
    below = inked(np.s_[4:13, 10:16], np.s_[14:24, 10:16])
    assert {doubt(each, SURE, DIGITS) for each in (beside, below)} == {"several parts far apart"}
    assert doubt(inked(np.s_[4:10, 10:16], np.s_[11:24, 10:16]), SURE, DIGITS) == ""


def test_a_probability_that_is_low_or_divided_is_doubted() -> None:
    divided, low = np.full(10, 0.03), np.full(10, 0.1)
    divided[[4, 9]] = 0.39, 0.37
    assert doubt(ONE, divided, DIGITS) == "divided between 4 and 9"
    assert doubt(ONE, low, DIGITS) == "low probability"


@pytest.mark.parametrize("other", [{"class_names": list("abcdefghij")}, {"height": 8, "width": 8}], ids=str)
def test_the_shape_is_judged_for_digits_in_enough_pixels_alone(other: dict[str, Any]) -> None:
    profile = replace(DIGITS, **other)
    assert doubt(np.full(profile.image_shape, 255, np.uint8), SURE, profile) == ""


def test_ink_on_light_paper_has_the_same_doubts() -> None:
    light = replace(DIGITS, preparation=Preparation(paper=255))
    assert [doubt(255 - image, SURE, light) for image in SHAPES.values()] == [*SHAPES]
