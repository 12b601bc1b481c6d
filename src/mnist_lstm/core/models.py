"""The recurrent classifier, its initialisation, and the image classifier that is exported."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnist_lstm.parameters import ModelParameters

WHITE = 255  # pixels are scaled to [0, 1] inside the model, so nobody can feed it wrongly

CELLS: dict[str, Callable[..., nn.RNNBase]] = {"lstm": nn.LSTM}


class RecurrentClassifier(nn.Module):
    """Reads a sequence step by step and names its class from the last output.

    Args:
        model: cell, sizes and dropout.
        features: F, numbers read at each step.
        classes: K.
    """

    def __init__(self, model: ModelParameters, features: int, classes: int):
        super().__init__()
        self.recurrent = CELLS[model.cell](features, model.hidden_size, model.num_layers, batch_first=True)
        self.dropout = nn.Dropout(model.dropout)
        self.readout = nn.Linear(model.hidden_size, classes)

    def outputs(self, sequences: Tensor) -> Tensor:
        """The last layer's hidden state after each step, (N, T, H), for uint8 sequences (N, T, F)."""
        scaled = sequences.to(self.readout.weight.dtype) / WHITE
        return self.recurrent(scaled)[0]  # type: ignore[no-any-return]

    def forward(self, sequences: Tensor) -> Tensor:
        """Logits (N, K) for uint8 sequences (N, T, F)."""
        return self.readout(self.dropout(self.outputs(sequences)[:, -1]))  # type: ignore[no-any-return]


class ImageClassifier(nn.Module):
    """A trained classifier with its scaling and its sequence view inside.

    Args:
        classifier: trained.
        order: the view's pixels, (T, F).
    """

    order: Tensor

    def __init__(self, classifier: RecurrentClassifier, order: NDArray[np.int64]):
        super().__init__()
        self.classifier = classifier
        self.register_buffer("order", torch.from_numpy(order))

    def forward(self, images: Tensor) -> Tensor:
        """Class probabilities float32 (N, K) for uint8 images (N, height, width)."""
        steps, features = self.order.shape
        pixels = images.reshape(images.shape[0], -1)
        sequences = pixels[:, self.order.reshape(-1)].reshape(-1, steps, features)
        return torch.softmax(self.classifier(sequences), dim=-1)


class ExportedModel(NamedTuple):
    """A classifier of raw images, and a few images uint8 (N, height, width) to trace and to try it with."""

    classifier: ImageClassifier
    examples: NDArray[np.uint8]


def new_classifier(model: ModelParameters, features: int, classes: int, seed: int) -> RecurrentClassifier:
    """A classifier with initial weights that follow from `seed` alone."""
    classifier = RecurrentClassifier(model, features, classes)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        INITIALIZATIONS[model.initialization](classifier, generator)
        _fix_forget_bias(classifier.recurrent, model.forget_bias)
    return classifier


def restored_classifier(model: ModelParameters, features: int, weights: dict[str, Tensor]) -> RecurrentClassifier:
    """The classifier, ready to classify, whose `state_dict` is `weights`."""
    classifier = RecurrentClassifier(model, features, classes=len(weights["readout.bias"]))
    classifier.load_state_dict(weights)
    return classifier.eval()


def classify(classifier: nn.Module, inputs: NDArray[np.uint8], batch_size: int) -> NDArray[np.float32]:
    """What `classifier` answers in evaluation mode, (N, K), in passes of `batch_size` to bound the memory."""
    was_training, device = classifier.training, next(classifier.parameters()).device
    classifier.eval()
    with torch.inference_mode():
        answers = [
            classifier(torch.from_numpy(inputs[start : start + batch_size]).to(device))
            for start in range(0, len(inputs), batch_size)
        ]
    classifier.train(was_training)
    return torch.cat(answers).float().cpu().numpy()


def _tensorflow(classifier: RecurrentClassifier, generator: torch.Generator) -> None:
    """Glorot-uniform kernels, zero biases, and the tutorial's readout from N(0, 1).

    TensorFlow keeps one kernel (F + H, 4H) a layer, so the limit is that of input and hidden weights together.
    Source: Glorot and Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html, and TensorFlow's BasicLSTMCell.
    """
    recurrent = classifier.recurrent
    for layer in range(recurrent.num_layers):
        input_weight = getattr(recurrent, f"weight_ih_l{layer}")
        hidden_weight = getattr(recurrent, f"weight_hh_l{layer}")
        limit = math.sqrt(6 / (input_weight.shape[1] + hidden_weight.shape[1] + hidden_weight.shape[0]))
        input_weight.uniform_(-limit, limit, generator=generator)
        hidden_weight.uniform_(-limit, limit, generator=generator)
        getattr(recurrent, f"bias_ih_l{layer}").zero_()
    classifier.readout.weight.normal_(generator=generator)
    classifier.readout.bias.normal_(generator=generator)


def _fix_forget_bias(recurrent: nn.RNNBase, forget_bias: float) -> None:
    """Makes torch's second bias the constant that BasicLSTMCell adds to its forget gate, and not trained.

    With both biases trained every bias would move at twice TensorFlow's rate. torch's gate order is i, f, g, o.
    """
    for layer in range(recurrent.num_layers):
        bias = getattr(recurrent, f"bias_hh_l{layer}")
        bias.zero_()
        bias[recurrent.hidden_size : 2 * recurrent.hidden_size] = forget_bias
        bias.requires_grad_(False)


INITIALIZATIONS: dict[str, Callable[[RecurrentClassifier, torch.Generator], Any]] = {"tensorflow": _tensorflow}
