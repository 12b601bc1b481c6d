"""The recurrent classifier of sequences."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnist_lstm.core.model.draws import Draws
from mnist_lstm.core.model.initialization import initialize
from mnist_lstm.core.model.pooling import POOLINGS
from mnist_lstm.core.model.series import both_ways, mean_and_deviation, until_last
from mnist_lstm.core.model.stepwise import StepwiseLSTM
from mnist_lstm.parameters import ModelParameters

WHITE = 255  # the model itself scales pixels to [0, 1], so that callers cannot scale them wrongly

CELLS: dict[str, Callable[..., nn.RNNBase]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


def _cells(model: ModelParameters) -> Callable[..., nn.RNNBase]:
    if model.gates == "plain" and not model.zoneout:
        return CELLS[model.cell]
    return partial(StepwiseLSTM, model.gates == "refined", model.zoneout)


class RecurrentClassifier(nn.Module):
    """Classifies a sequence from the hidden states of a recurrent network.

    Args:
        features: F, the input size at each step.
        classes: K, the number of classes.
    """

    def __init__(self, model: ModelParameters, features: int, classes: int):
        super().__init__()
        self.model = model
        self.recurrent = _cells(model)(
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
        summary = POOLINGS[self.model.pooling](self, *self._read(sequences), None)
        return self.readout(self.dropout(summary))  # type: ignore[no-any-return]

    def scaled(self, sequences: Tensor) -> Tensor:
        """The input of the recurrent layer, (N, T, F): pixels from 0 to 1."""
        return sequences.to(self.readout.weight.dtype) / WHITE

    def present(self, sequences: Tensor) -> Tensor:
        """Which steps the sequences have, bool (N, T, 1): an image has them all."""
        return torch.ones(*sequences.shape[:2], 1, dtype=torch.bool, device=sequences.device)

    def _read(self, sequences: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs (N, T, D), and the final hidden state of each direction, (N, D).

        Both keep the precision of the recurrent layer; pooling converts only the one that it uses.
        """
        outputs, state = self.recurrent(self.scaled(sequences))
        hidden = state[0] if isinstance(state, tuple) else state  # (layers * directions, N, H)
        directions = 2 if self.model.bidirectional else 1
        return outputs, hidden[-directions:].transpose(0, 1).flatten(1)

    def _full(self, states: Tensor) -> Tensor:
        return states.to(self.readout.weight.dtype)


class SeriesClassifier(RecurrentClassifier):
    """Classifies series of numbers, float32 (N, T, F) and nan after the last step of each, which it reads to there.

    It scales each feature by its mean and deviation in the training series, which are among its weights.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, model: ModelParameters, features: int, classes: int):
        super().__init__(model, features, classes)
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))

    def scaled(self, sequences: Tensor) -> Tensor:
        """The input of the recurrent layer, (N, T, F): features of mean 0 and deviation 1; 0 after the last step."""
        return torch.nan_to_num((sequences.to(self.readout.weight.dtype) - self.mean) / self.deviation)

    def present(self, sequences: Tensor) -> Tensor:
        """Which steps the series have, bool (N, T, 1)."""
        return ~sequences[..., :1].isnan()

    def forward(self, sequences: Tensor) -> Tensor:
        """Logits (N, K) for series (N, T, F)."""
        summary = POOLINGS[self.model.pooling](self, *self._read(sequences), self.present(sequences))
        return self.readout(self.dropout(summary))  # type: ignore[no-any-return]

    def _read(self, sequences: Tensor) -> tuple[Tensor, Tensor]:
        inputs, lengths = self.scaled(sequences), self.present(sequences).sum(dim=1)
        if not self.model.bidirectional:
            outputs = until_last(self.recurrent(inputs)[0], lengths)
            return outputs, outputs[:, -1]
        outputs, units = both_ways(self.recurrent, inputs, lengths), self.model.hidden_size
        there, back = outputs[..., :units], outputs[..., units:]
        return outputs, torch.cat([until_last(there, lengths)[:, -1], back[:, 0]], dim=-1)


def new_classifier(
    model: ModelParameters,
    shape: tuple[int, ...],
    classes: int,
    seed: int,
    sequences: NDArray[Any] | None = None,
    portable: bool = False,
) -> RecurrentClassifier:
    """A classifier whose initial weights depend only on `seed` and `portable`.

    Args:
        shape: of a sequence, (T, F).
        classes: K.
        sequences: to train with, (N, T, F). Numbers of floating point are series, whose scale becomes the classifier's.
        portable: whether the weights are the same on every processor.
    """
    steps, features = shape
    of_series = sequences is not None and sequences.dtype.kind == "f"
    classifier = (SeriesClassifier if of_series else RecurrentClassifier)(model, features, classes)
    draws = Draws(torch.Generator().manual_seed(seed), portable)
    initialize(classifier.recurrent, classifier.readout, model, steps, draws)
    if isinstance(classifier, SeriesClassifier) and sequences is not None:
        classifier.mean, classifier.deviation = mean_and_deviation(sequences)
    return classifier


def restored_classifier(model: ModelParameters, features: int, weights: dict[str, Tensor]) -> RecurrentClassifier:
    """The classifier with the `state_dict` `weights`, in evaluation mode."""
    classifier = _kind_of(weights)(model, features, classes=len(weights["readout.bias"]))
    classifier.load_state_dict(weights)
    return classifier.eval()


def expect_fit(model: ModelParameters, features: int, weights: dict[str, Tensor]) -> None:
    """Checks the names and shapes in `weights` against the classifier, without allocating its memory.

    Raises:
        RuntimeError: if they differ.
    """
    with torch.device("meta"):
        classifier = _kind_of(weights)(model, features, classes=len(weights["readout.bias"]))
    classifier.load_state_dict(weights, assign=True)


def _kind_of(weights: dict[str, Tensor]) -> type[RecurrentClassifier]:
    return SeriesClassifier if "mean" in weights else RecurrentClassifier


def classify(classifier: nn.Module, inputs: NDArray[Any], batch_size: int) -> NDArray[np.float32]:
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
