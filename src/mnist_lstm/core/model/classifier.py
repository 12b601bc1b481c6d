"""The recurrent classifier of sequences."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnist_lstm.core.model.initialization import initialize
from mnist_lstm.parameters import ModelParameters

WHITE = 255  # the model itself scales pixels to [0, 1], so that callers cannot scale them wrongly

CELLS: dict[str, Callable[..., nn.RNNBase]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


class RecurrentClassifier(nn.Module):
    """Classifies a sequence from the hidden states of a recurrent network.

    Args:
        model: cell, sizes, pooling and dropout.
        features: F, the input size at each step.
        classes: K, the number of classes.
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
            nn.init.zeros_(self.attention.weight)  # training starts from the mean over all steps
        self.readout = nn.Linear(units, classes)

    def outputs(self, sequences: Tensor) -> Tensor:
        """The last layer's hidden state at each step, (N, T, H), for uint8 sequences (N, T, F).

        For a bidirectional network (N, T, 2H): the forward states, then the backward states.
        """
        return self._full(self._read(sequences)[0])

    def forward(self, sequences: Tensor) -> Tensor:
        """Logits (N, K) for uint8 sequences (N, T, F)."""
        summary = POOLINGS[self.model.pooling](self, *self._read(sequences))
        return self.readout(self.dropout(summary))  # type: ignore[no-any-return]

    def _read(self, sequences: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs (N, T, D), and the final hidden state of each direction, (N, D).

        Both keep the precision of the recurrent layer; pooling converts only the one that it uses.
        """
        outputs, state = self.recurrent(sequences.to(self.readout.weight.dtype) / WHITE)
        hidden = state[0] if self.model.cell == "lstm" else state  # (layers * directions, N, H)
        directions = 2 if self.model.bidirectional else 1
        return outputs, hidden[-directions:].transpose(0, 1).flatten(1)

    def _full(self, states: Tensor) -> Tensor:
        return states.to(self.readout.weight.dtype)


def last(classifier: RecurrentClassifier, _: Tensor, hidden: Tensor) -> Tensor:
    """The final hidden state of each direction."""
    return classifier._full(hidden)


def mean(classifier: RecurrentClassifier, outputs: Tensor, _: Tensor) -> Tensor:
    """The mean of the hidden states over the steps."""
    return classifier._full(outputs).mean(dim=1)


def attention(classifier: RecurrentClassifier, outputs: Tensor, _: Tensor) -> Tensor:
    """The mean of the hidden states, weighted by the softmax of the scores."""
    outputs = classifier._full(outputs)
    return (torch.softmax(scores(classifier, outputs), dim=1) * outputs).sum(dim=1)


def scores(classifier: RecurrentClassifier, outputs: Tensor) -> Tensor:
    """Attention scores of the steps, (N, T, 1), before the softmax.

    Source: Zhou et al. 2016, doi:10.18653/v1/P16-2034, who apply another tanh to the weighted mean.
    """
    return classifier.attention(torch.tanh(outputs))  # type: ignore[no-any-return]


# Each maps the hidden states of all steps (N, T, D) and the final one (N, D) to the input of the readout, (N, D)
POOLINGS: dict[str, Callable[[RecurrentClassifier, Tensor, Tensor], Tensor]] = {
    "last": last,
    "mean": mean,
    "attention": attention,
}


def new_classifier(model: ModelParameters, shape: tuple[int, ...], classes: int, seed: int) -> RecurrentClassifier:
    """A classifier of sequences of `shape`, (T, F), whose initial weights depend only on `seed`."""
    steps, features = shape
    classifier = RecurrentClassifier(model, features, classes)
    generator = torch.Generator().manual_seed(seed)
    initialize(classifier.recurrent, classifier.readout, model.initialization, model.forget_bias, steps, generator)
    return classifier


def restored_classifier(model: ModelParameters, features: int, weights: dict[str, Tensor]) -> RecurrentClassifier:
    """The classifier with the `state_dict` `weights`, in evaluation mode."""
    classifier = RecurrentClassifier(model, features, classes=len(weights["readout.bias"]))
    classifier.load_state_dict(weights)
    return classifier.eval()


def expect_fit(model: ModelParameters, features: int, weights: dict[str, Tensor]) -> None:
    """Checks the names and shapes in `weights` against the classifier, without allocating its memory.

    Raises:
        RuntimeError: if they differ.
    """
    with torch.device("meta"):
        classifier = RecurrentClassifier(model, features, classes=len(weights["readout.bias"]))
    classifier.load_state_dict(weights, assign=True)


def classify(classifier: nn.Module, inputs: NDArray[np.uint8], batch_size: int) -> NDArray[np.float32]:
    """Outputs of `classifier` in evaluation mode, (N, K), computed in batches to bound the memory."""
    # an exported classifier needs at least one image
    given = inputs if len(inputs) else np.zeros((1, *inputs.shape[1:]), inputs.dtype)
    was_training, device = classifier.training, next(classifier.parameters()).device
    classifier.eval()
    with torch.inference_mode():
        outputs = [
            classifier(torch.from_numpy(given[start : start + batch_size]).to(device))
            for start in range(0, len(given), batch_size)
        ]
    classifier.train(was_training)
    return torch.cat(outputs).float().cpu().numpy()[: len(inputs)]
