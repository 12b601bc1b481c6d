"""The recurrent classifier, and the image classifier that is exported."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnist_lstm.core.model.initialization import initialize
from mnist_lstm.parameters import ModelParameters

WHITE = 255  # pixels are scaled to [0, 1] inside the model, so nobody can feed it wrongly

CELLS: dict[str, Callable[..., nn.RNNBase]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


class RecurrentClassifier(nn.Module):
    """Reads a sequence step by step and names its class from its hidden states.

    Args:
        model: cell, sizes, pooling and dropout.
        features: F, numbers read at each step.
        classes: K.
    """

    def __init__(self, model: ModelParameters, features: int, classes: int):
        super().__init__()
        self.model = model
        self.recurrent = CELLS[model.cell](
            features,
            model.hidden_size,
            model.num_layers,
            batch_first=True,
            dropout=model.dropout if model.num_layers > 1 else 0.0,  # between layers
            bidirectional=model.bidirectional,
        )
        self.dropout = nn.Dropout(model.dropout)
        units = model.hidden_size * (2 if model.bidirectional else 1)
        if model.pooling == "attention":
            self.attention = nn.Linear(units, 1, bias=False)
            nn.init.zeros_(self.attention.weight)  # training starts from the mean of all steps
        self.readout = nn.Linear(units, classes)

    def outputs(self, sequences: Tensor) -> Tensor:
        """The last layer's hidden state at each step, (N, T, H), for uint8 sequences (N, T, F).

        Of a bidirectional network (N, T, 2H): of those who have read up to this step from the first and from the last.
        """
        return self._full(self._read(sequences)[0])

    def forward(self, sequences: Tensor) -> Tensor:
        """Logits (N, K) for uint8 sequences (N, T, F)."""
        summary = POOLINGS[self.model.pooling](self, *self._read(sequences))
        return self.readout(self.dropout(summary))  # type: ignore[no-any-return]

    def _read(self, sequences: Tensor) -> tuple[Tensor, Tensor]:
        """The outputs (N, T, D) and the hidden state that has read it all in each direction, (N, D).

        In the precision of the recurrent layer: most ways of pooling would not read what was widened.
        """
        outputs, state = self.recurrent(sequences.to(self.readout.weight.dtype) / WHITE)
        hidden = state[0] if self.model.cell == "lstm" else state  # (layers * directions, N, H)
        directions = 2 if self.model.bidirectional else 1
        return outputs, hidden[-directions:].transpose(0, 1).flatten(1)

    def _full(self, states: Tensor) -> Tensor:
        return states.to(self.readout.weight.dtype)


def last(classifier: RecurrentClassifier, _: Tensor, hidden: Tensor) -> Tensor:
    """The hidden state that has read the whole sequence, in each direction."""
    return classifier._full(hidden)


def mean(classifier: RecurrentClassifier, outputs: Tensor, _: Tensor) -> Tensor:
    """The mean of the hidden states over the steps."""
    return classifier._full(outputs).mean(dim=1)


def attention(classifier: RecurrentClassifier, outputs: Tensor, _: Tensor) -> Tensor:
    """The mean of the hidden states, each step weighted by the softmax of its score."""
    outputs = classifier._full(outputs)
    return (torch.softmax(scores(classifier, outputs), dim=1) * outputs).sum(dim=1)


def scores(classifier: RecurrentClassifier, outputs: Tensor) -> Tensor:
    """How much pooling by attention looks at each step, (N, T, 1), before the softmax over the steps.

    Source: Zhou et al. 2016, doi:10.18653/v1/P16-2034, there with another tanh around the weighted mean.
    """
    return classifier.attention(torch.tanh(outputs))  # type: ignore[no-any-return]


# Hidden states of all steps (N, T, D) and of the end (N, D) to the vector that the readout classifies, (N, D)
POOLINGS: dict[str, Callable[[RecurrentClassifier, Tensor, Tensor], Tensor]] = {
    "last": last,
    "mean": mean,
    "attention": attention,
}


def new_classifier(model: ModelParameters, shape: tuple[int, ...], classes: int, seed: int) -> RecurrentClassifier:
    """A classifier of sequences of `shape`, (T, F), with initial weights that follow from `seed` alone."""
    steps, features = shape
    classifier = RecurrentClassifier(model, features, classes)
    generator = torch.Generator().manual_seed(seed)
    initialize(classifier.recurrent, classifier.readout, model.initialization, model.forget_bias, steps, generator)
    return classifier


def restored_classifier(model: ModelParameters, features: int, weights: dict[str, Tensor]) -> RecurrentClassifier:
    """The classifier, ready to classify, whose `state_dict` is `weights`."""
    classifier = RecurrentClassifier(model, features, classes=len(weights["readout.bias"]))
    classifier.load_state_dict(weights)
    return classifier.eval()


def expect_fit(model: ModelParameters, features: int, weights: dict[str, Tensor]) -> None:
    """Checks, without memory for a classifier, that `weights` has the names and shapes of its `state_dict`.

    Raises:
        RuntimeError: if it has not.
    """
    with torch.device("meta"):
        classifier = RecurrentClassifier(model, features, classes=len(weights["readout.bias"]))
    classifier.load_state_dict(weights, assign=True)


def classify(classifier: nn.Module, inputs: NDArray[np.uint8], batch_size: int) -> NDArray[np.float32]:
    """What `classifier` answers in evaluation mode, (N, K), in passes of `batch_size` to bound the memory."""
    asked = inputs if len(inputs) else np.zeros((1, *inputs.shape[1:]), inputs.dtype)  # an exported one needs an image
    was_training, device = classifier.training, next(classifier.parameters()).device
    classifier.eval()
    with torch.inference_mode():
        answers = [
            classifier(torch.from_numpy(asked[start : start + batch_size]).to(device))
            for start in range(0, len(asked), batch_size)
        ]
    classifier.train(was_training)
    return torch.cat(answers).float().cpu().numpy()[: len(inputs)]
