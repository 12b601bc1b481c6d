import numpy as np
import pytest
import torch

from mnist_lstm.core.data.sequences import VIEWS, pixel_order_for, to_sequences
from mnist_lstm.core.data.splits import Splits
from mnist_lstm.core.model.classifier import classify, new_classifier
from mnist_lstm.core.model.export import REFUSAL, ImageClassifier, ServedClassifier
from mnist_lstm.parameters import Parameters
from tests.conftest import read_by


@pytest.mark.parametrize("view", VIEWS)
def test_the_image_classifier_gives_the_sequence_classifiers_probabilities(
    small: Parameters, splits: Splits, view: str
) -> None:
    images, pixel_order = splits.test.images, pixel_order_for(read_by(view), 6, 4)
    classifier = new_classifier(small.model, pixel_order.shape, classes=3, seed=1).eval()
    logits = classify(classifier, to_sequences(images, pixel_order), 21).astype(np.float64)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(classify(ImageClassifier(classifier, pixel_order), images, 21), expected, atol=1e-6)


def test_the_served_model_and_the_classifier_in_it_take_no_images_and_zeros_and_ones_alone_are_refused(
    small: Parameters,
) -> None:
    pixel_order = pixel_order_for(read_by("rows"), 6, 4)
    classifier = ImageClassifier(new_classifier(small.model, pixel_order.shape, classes=3, seed=1), pixel_order)
    probabilities = classify(classifier, np.zeros((0, 6, 4), np.uint8), 5)
    assert probabilities.shape == (0, 3)
    assert probabilities.dtype == np.float32
    served = ServedClassifier(classifier).eval()
    assert served(torch.zeros(0, 6, 4)).shape == (0, 3)
    assert served(torch.zeros(2, 6, 4)).shape == (2, 3)
    with pytest.raises(RuntimeError, match=REFUSAL):
        served(torch.ones(1, 6, 4))
