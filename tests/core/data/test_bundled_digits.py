import numpy as np
import pytest
from sklearn.datasets import load_digits

from mnist_lstm.core.data.bundled_digits import bundled_digits


def test_the_card_gives_the_sizes_of_the_splits_and_says_that_the_digits_are_not_mnist() -> None:
    card = bundled_digits().card
    assert card.images == {"train": 1257, "valid": 180, "test": 360}
    assert card.name == "digits"
    assert "not MNIST" in card.title


def test_each_of_scikit_learns_digits_is_in_one_split_with_its_label() -> None:
    *parts, _ = bundled_digits()
    ours = [
        (*image.ravel().tolist(), int(label))
        for part in parts
        for image, label in zip(part.images, part.labels, strict=True)
    ]
    pixels, labels = load_digits(return_X_y=True)
    theirs = [
        (*np.rint(image * 255 / 16).astype(int).tolist(), int(label))
        for image, label in zip(pixels, labels, strict=True)
    ]
    assert sorted(ours) == sorted(theirs)


def test_every_split_has_bytes_from_paper_to_ink_and_all_digits_in_about_equal_shares() -> None:
    *parts, _ = bundled_digits()
    for part in parts:
        assert part.images.dtype == np.uint8
        assert (part.images.shape[1:], part.images.min(), part.images.max()) == ((8, 8), 0, 255)
        assert np.bincount(part.labels, minlength=10) / len(part.labels) == pytest.approx(0.1, abs=0.01)


def test_the_digits_are_split_the_same_every_time() -> None:
    assert bundled_digits().card == bundled_digits().card
