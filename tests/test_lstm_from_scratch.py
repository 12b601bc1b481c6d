"""The LSTM in numpy that docs/tutorial.md shows trains as the pipeline does."""

import importlib.util
from itertools import islice
from typing import Any

import numpy as np
import pytest

from mnist_lstm.core.data.bundled_digits import bundled_digits
from mnist_lstm.core.data.sequences import pixel_order_for, sequence_split
from mnist_lstm.core.model.classifier import new_classifier
from mnist_lstm.core.training.loop import fit
from mnist_lstm.parameters import Parameters
from tests.core.conftest import needs_kernel
from tests.support.projects import REPOSITORY

UPDATES = 100


@pytest.fixture(scope="module")
def scratch() -> Any:
    spec = importlib.util.spec_from_file_location("scratch", REPOSITORY / "docs" / "lstm_from_scratch.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("precision", ["float32", pytest.param("portable", marks=needs_kernel)])
def test_the_first_hundred_losses_are_those_of_the_pipeline(
    scratch: Any, parameters: Parameters, precision: str
) -> None:
    splits = bundled_digits()
    pixel_order = pixel_order_for(parameters.sequence, *splits.card.image_shape)
    train, valid = (sequence_split(part, pixel_order) for part in (splits.train, splits.valid))
    classes = len(splits.card.class_names)

    weights, batches = scratch.same_start(parameters, len(train), pixel_order.shape, classes)
    rows = train.sequences / np.float32(255)
    losses = list(scratch.train(weights, ((rows[chosen], train.labels[chosen]) for chosen in islice(batches, UPDATES))))

    changes = {"iterations": UPDATES, "log_every": 1, "validate_every": UPDATES, "threads": 1, "precision": precision}
    classifier = new_classifier(parameters.model, pixel_order.shape, classes, parameters.training.seed)
    *_, report = fit(classifier, train, valid, parameters.training.model_copy(update=changes), splits.card.image_shape)
    assert losses[0] > 5 * losses[-1]
    np.testing.assert_allclose(losses, [row["train_loss"] for row in report.history], rtol=0, atol=1e-5)


def test_it_is_short_enough_to_read_in_one_go() -> None:
    assert len((REPOSITORY / "docs" / "lstm_from_scratch.py").read_text().splitlines()) <= 80
