"""The classifier as a server needs it: it refuses what is no image instead of answering nonsense."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnist_lstm.core.model.classifier import WHITE, RecurrentClassifier

REFUSAL = "pixels must be whole numbers from 0 to 255"


class ImageClassifier(nn.Module):
    """A trained classifier with its scaling and its sequence view inside.

    Args:
        classifier: trained.
        pixel_order: the view's pixels, (T, F).
    """

    order: Tensor

    def __init__(self, classifier: RecurrentClassifier, pixel_order: NDArray[np.int64]):
        super().__init__()
        self.classifier = classifier
        self.register_buffer("order", torch.from_numpy(pixel_order))  # its name in exported files

    def forward(self, images: Tensor) -> Tensor:
        """Class probabilities float32 (N, K) for uint8 images (N, height, width)."""
        steps, features = self.order.shape
        sequences = images.flatten(1)[:, self.order.flatten()].reshape(images.shape[0], steps, features)
        return torch.softmax(self.classifier(sequences), dim=-1)


class ExportedModel(NamedTuple):
    """A classifier of raw images, and a few images uint8 (N, height, width) to trace and to try it with."""

    classifier: ImageClassifier
    examples: NDArray[np.uint8]


class ServedClassifier(nn.Module):
    """The classifier of raw images for float32 pixels, which must be whole numbers from 0 to 255.

    A server that reads JSON into the type that a model declares would cut 0.5 to 0 for a model of uint8, so that images
    scaled to [0, 1] came out black. As floats they arrive as they were sent.
    """

    def __init__(self, classifier: ImageClassifier):
        super().__init__()
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        """Class probabilities float32 (N, K) for float32 images (N, height, width); RuntimeError if not of pixels."""
        whole = (images >= 0) & (images <= WHITE) & (images == images.round())
        torch._assert_async(whole.all(), REFUSAL)  # the one assertion that torch.export keeps for values
        return self.classifier(images.to(torch.uint8))  # type: ignore[no-any-return]
