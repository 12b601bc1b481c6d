"""The classifier for export and serving; it rejects inputs that are not images."""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnist_lstm.core.model.classifier import WHITE, RecurrentClassifier, SeriesClassifier

REFUSAL = "pixels must be whole numbers from 0 to 255"
REFUSED_SERIES = "series must have a finite number for each feature from the first step to the last; null after it"


class ImageClassifier(nn.Module):
    """A trained classifier of raw images, or of series, with scaling and the view's pixel order (T, F) included."""

    order: Tensor

    def __init__(self, classifier: RecurrentClassifier, pixel_order: NDArray[np.int64]):
        super().__init__()
        self.classifier = classifier
        self.register_buffer("order", torch.from_numpy(pixel_order))  # its name in exported files

    def forward(self, images: Tensor) -> Tensor:
        """Class probabilities float32 (N, K) for uint8 images (N, height, width), or float32 series (N, T, F)."""
        steps, features = self.order.shape
        sequences = images.flatten(1)[:, self.order.flatten()].reshape(images.shape[0], steps, features)
        return torch.softmax(self.classifier(sequences), dim=-1)


class ExportedModel(NamedTuple):
    """A classifier of raw images, with example images uint8 (N, height, width), or series, for tracing and tests."""

    classifier: ImageClassifier
    examples: NDArray[Any]


class ServedClassifier(nn.Module):
    """The classifier of raw images with float32 input, which must hold whole numbers from 0 to 255.

    Servers cast JSON to the input type of the model. With uint8, 0.5 would become 0 and images scaled to [0, 1] would
    turn black. Floats arrive unchanged, so this model can reject them.
    """

    def __init__(self, classifier: ImageClassifier):
        super().__init__()
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        """Class probabilities float32 (N, K) for float32 images (N, height, width).

        Raises:
            RuntimeError: if a value is not a whole number from 0 to 255, or 1 is the highest one.
        """
        if isinstance(self.classifier.classifier, SeriesClassifier):
            absent = images.isnan()
            ends = absent[:, 1:] | ~absent[:, :-1]  # a step that is absent ends the series
            valid = ends.all() & (absent.all(2) == absent.any(2)).all() & ~absent[:, 0].any() & ~images.isinf().any()
            torch._assert_async(valid, REFUSED_SERIES)
            return self.classifier(images)  # type: ignore[no-any-return]
        valid = (images >= 0) & (images <= WHITE) & (images == images.round())
        grey = (images > 1).any() | (images < 1).all()  # zeros and ones alone are of 0.0 to 1.0, which would be black
        valid = valid.all() & grey
        torch._assert_async(valid, REFUSAL)  # the only assertion on values that torch.export preserves
        return self.classifier(images.to(torch.uint8))  # type: ignore[no-any-return]
