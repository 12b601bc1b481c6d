"""The classifier as a server needs it: it refuses what is no image instead of answering nonsense."""

import torch
from torch import Tensor, nn

from mnist_lstm.core.models import WHITE, ImageClassifier

REFUSAL = "pixels must be whole numbers from 0 to 255"


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
