from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from mnist_lstm.core.data.bundled_digits import bundled_digits


def test_the_card_gives_the_sizes_of_the_splits_and_says_that_the_digits_are_not_mnist() -> None:
    card = bundled_digits().card
    assert bundled_digits().card == card, "split the same every time"
    assert card.images == {"train": 1257, "valid": 180, "test": 360}
    assert card.name == "digits"
    assert "not MNIST" in card.title


def test_each_of_scikit_learns_digits_is_in_one_split_with_its_label() -> None:
    *parts, _ = bundled_digits()
    ours = [row for part in parts for row in rows(part.images, part.labels)]
    pixels, labels = load_digits(return_X_y=True)
    assert sorted(ours) == sorted(rows(np.rint(pixels * 255 / 16), labels))


def rows(images: Any, labels: Any) -> list[list[int]]:
    return np.column_stack([images.reshape(len(images), -1), labels]).astype(int).tolist()  # type: ignore[no-any-return]


def test_every_split_has_bytes_from_paper_to_ink_and_all_digits_in_about_equal_shares() -> None:
    *parts, _ = bundled_digits()
    for part in parts:
        assert part.images.dtype == np.uint8
        assert (part.images.shape[1:], part.images.min(), part.images.max()) == ((8, 8), 0, 255)
        assert np.bincount(part.labels, minlength=10) / len(part.labels) == pytest.approx(0.1, abs=0.01)
