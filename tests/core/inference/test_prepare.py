"""Pictures are prepared as those were that the model was trained on."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_lstm.core.data.data_card import DataProfile
from mnist_lstm.core.data.preparation import Preparation, measured
from mnist_lstm.core.inference.decode import PictureError
from mnist_lstm.core.inference.predict import preprocess_each, printable
from mnist_lstm.core.inference.preprocess import frame_of, prepare, preprocess, stretched
from tests.support.picture_files import file_of

Grey = NDArray[np.uint8]


def cut_out(position: int) -> Grey:
    """An L of dark ink, cut out closely: 40 to 79 pixels high and 30 to 49 wide."""
    drawn = np.full((40 + position % 40, 30 + position % 20), 230, np.uint8)
    drawn[:, :8], drawn[-8:] = 40, 40
    return drawn


def trained_on(pictures: list[Grey], declared: Preparation) -> tuple[DataProfile, list[Grey]]:
    """The data set of pictures stretched to 28 x 28, and its images."""
    images = [255 - stretched(each, (28, 28)) for each in pictures]
    preparation = measured(np.stack(images), declared)
    return DataProfile("mine", "Mine", 28, 28, ["L", "T"], preparation=preparation), images


DARK = Preparation(whole=True, dark_on_light=True)
CUT_OUT = [cut_out(position) for position in range(40)]


def test_a_picture_like_those_of_the_source_becomes_the_image_that_training_saw() -> None:
    data, images = trained_on(CUT_OUT, DARK)
    assert all(np.array_equal(prepare(each, data), image) for each, image in zip(CUT_OUT, images, strict=True))


@pytest.mark.parametrize("inverted", [False, True])
def test_a_drawing_on_a_sheet_is_cut_out_and_stretched_as_the_source_was(inverted: bool) -> None:
    data, images = trained_on(CUT_OUT, DARK)
    assert data.preparation.stretched
    sheet = np.pad(CUT_OUT[7], 50, constant_values=230)
    found = prepare(255 - sheet if inverted else sheet, data).astype(int)
    assert np.abs(found - np.clip((images[7].astype(int) - 25) * 255 / 190, 0, 255)).mean() < 12


def test_ink_of_any_size_on_whole_pictures_stays_where_it_is() -> None:
    pictures = [np.pad(cut_out(position), 10 + 3 * (position % 12), constant_values=230) for position in range(40)]
    data, images = trained_on(pictures, DARK)
    assert not data.preparation.stretched
    assert sum(np.array_equal(prepare(each, data), image) for each, image in zip(pictures, images, strict=True)) >= 38


def test_a_model_of_light_paper_gets_light_paper() -> None:
    plain = DataProfile("mine", "Mine", 28, 28, ["L"])
    light = replace(plain, preparation=Preparation(paper=255))
    sheet = np.pad(cut_out(3), 30, constant_values=230)
    assert np.array_equal(prepare(sheet, light), 255 - preprocess(sheet, frame_of(plain)))


@pytest.mark.parametrize(
    ("declared", "stored"),
    [
        (Preparation(transposed=True), lambda image: image.T),
        (Preparation(dark_on_light=True), lambda image: 255 - image),
        (Preparation(transposed=True, dark_on_light=True), lambda image: 255 - image.T),
    ],
)
def test_an_idx_file_is_read_as_the_source_was(declared: Preparation, stored: Callable[[Grey], Grey]) -> None:
    data = DataProfile("mine", "Mine", 6, 4, ["a"], preparation=declared)
    image = np.arange(24, dtype=np.uint8).reshape(6, 4)
    (found,) = preprocess_each([("x[0]", stored(image))], data)
    assert np.array_equal(found.image, image)


def test_transparent_pixels_are_the_paper_of_the_source() -> None:
    pixels = np.zeros((28, 28, 4), np.uint8)
    pixels[4:24, 4:24] = 40, 40, 40, 255
    data, _ = trained_on([np.pad(np.full((20, 20), 40, np.uint8), 4, constant_values=255)], DARK)
    (found,) = preprocess_each([("x.png", file_of(pixels))], data)
    assert (found.image[0, 0], found.image[14, 14]) == (0, 215)


NAMES = {
    "seven \u4e03.png": "seven \u4e03.png",
    "a\rb\n.png": "a\\rb\\n.png",
    "\udcff.png": "\\xff.png",
    "=1+1.png": "./=1+1.png",
    "-2.png": "./-2.png",
    "+3.png": "./+3.png",
    "@4.png": "./@4.png",
}


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_text_that_tables_and_spreadsheets_take_for_text(name: str) -> None:
    (found,) = preprocess_each([(name, PictureError("damaged"))], DataProfile("mine", "Mine", 6, 4, ["a"]))
    assert found.name == printable(name) == NAMES[name]
