import dataclasses
import json

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.data import preparation
from mnist_lstm.core.data.bundled_digits import bundled_digits
from mnist_lstm.core.data.data_card import DataCard, DataProfile
from mnist_lstm.core.data.preparation import AS_MNIST, Preparation
from tests.support.mnist_run import needs_mnist, published


def measured(images: NDArray[np.uint8], declared: Preparation = AS_MNIST) -> Preparation:
    return preparation.measured(images, declared)


def boxes(tall: int, wide: int, count: int = 5) -> NDArray[np.uint8]:
    """Images of 20 x 20 with a box of ink in the middle."""
    images = np.zeros((count, 20, 20), np.uint8)
    images[:, 10 - tall // 2 : 10 + tall // 2, 10 - wide // 2 : 10 + wide // 2] = 200
    return images


def test_the_size_and_the_centre_of_the_ink_are_measured_and_whether_images_were_stretched_or_are_covered() -> None:
    found = measured(np.concatenate([boxes(16, 4), boxes(16, 8)]))
    assert (found.fill, found.centre, found.heights, found.widths) == (0.8, 0.47, (0.8, 0.8), (0.2, 0.4))
    assert not found.stretched
    assert measured(boxes(20, 20)).stretched
    assert found.covers(boxes(16, 6)[0])
    assert not found.covers(boxes(10, 6)[0])
    assert not found.covers(255 - boxes(16, 6)[0])


def test_light_paper_is_measured_and_its_ink_is_the_dark_part() -> None:
    dark, light = measured(boxes(16, 4)), measured(255 - boxes(16, 4))
    assert light == dataclasses.replace(dark, paper=255)


def test_blank_images_have_the_preparation_of_mnist_and_what_is_declared_is_recorded() -> None:
    assert measured(boxes(0, 0), Preparation(transposed=True)) == Preparation(transposed=True)
    found = measured(boxes(16, 4), Preparation(whole=True, dark_on_light=True))
    assert (found.whole, found.dark_on_light, found.transposed) == (True, True, False)


def test_a_card_is_read_again_and_one_without_a_preparation_gets_that_of_its_data() -> None:
    card = bundled_digits().card
    content = json.loads(json.dumps(card.to_dict()))
    assert DataCard.from_dict(content) == card
    del content["preparation"]
    older = DataCard.from_dict(content).preparation
    assert (older.fill, older.centre) == (card.preparation.fill, card.preparation.centre) == (1.0, 0.44)
    assert DataProfile.from_dict(dataclasses.asdict(card.profile)) == card.profile


@needs_mnist
def test_mnist_fills_20_of_28_pixels_around_its_centre_of_mass_as_its_description_says() -> None:
    found = measured(published("t10k", "images"))
    assert (found.fill, found.centre, found.paper, found.stretched) == (20 / 28, 0.5, 0, False)
