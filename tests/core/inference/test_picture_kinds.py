"""Pictures as people take and scan them are read, skipped or in doubt, but hardly ever answered wrong and surely."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnist_lstm.core.data.bundled_digits import bundled_digits
from mnist_lstm.core.data.data_card import DataProfile
from mnist_lstm.core.inference.doubt import DIGITS, doubt
from mnist_lstm.core.inference.preprocess import prepare
from mnist_lstm.core.training import checkpoint
from tests.support import picture_kinds
from tests.support.mnist_run import needs_mnist
from tests.support.projects import Project

PROFILE = DataProfile("mnist", "MNIST", 28, 28, DIGITS)
NEVER_SURE = (picture_kinds.two_digits, picture_kinds.dot)


def digit(position: int) -> picture_kinds.Grey:
    """One of the bundled digits in MNIST's size."""
    large = Image.fromarray(bundled_digits().test.images[position]).resize((20, 20), Image.Resampling.BICUBIC)
    return np.pad(np.asarray(large), 4)


@pytest.mark.parametrize("kind", picture_kinds.DIGITS, ids=lambda kind: kind.__name__)
def test_a_digit_is_found_in_each_kind_of_picture(kind: picture_kinds.Kind) -> None:
    for position in (1, 2):
        plain = prepare(picture_kinds.plain(digit(position), np.random.default_rng(position)), PROFILE)
        found = prepare(kind(digit(position), np.random.default_rng(position)), PROFILE)
        assert np.corrcoef(found.ravel(), plain.ravel())[0, 1] > 0.75  # moved by a pixel at most


@pytest.mark.parametrize("kind", NEVER_SURE, ids=lambda kind: kind.__name__)
def test_what_is_no_digit_is_in_doubt(kind: picture_kinds.Kind) -> None:
    for position in range(3):
        image = prepare(kind(digit(position), np.random.default_rng(position)), PROFILE)
        assert doubt(image, np.eye(10)[3], PROFILE)


@needs_mnist
@pytest.mark.parametrize("kind", picture_kinds.DIGITS + picture_kinds.NO_DIGIT, ids=lambda kind: kind.__name__)
def test_few_pictures_of_a_kind_are_wrong_and_sure(mnist: Project, kind: picture_kinds.Kind) -> None:
    path = mnist.checkpoints()[0]
    model = checkpoint.from_bytes(path.read_bytes(), path.name)
    found = picture_kinds.outcome(model, Path(os.environ["MNIST_LSTM_MNIST"]), kind, 200)
    assert found.wrong <= 0.02
    if kind in picture_kinds.DIGITS:
        assert found.right >= 0.9
        assert found.flagged <= 0.06
