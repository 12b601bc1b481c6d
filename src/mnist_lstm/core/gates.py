"""Inside the cell: gates and states after each step, by the LSTM's own equations."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnist_lstm.core.models import WHITE, RecurrentClassifier

States = dict[str, NDArray[np.float32]]


def lstm_states(classifier: RecurrentClassifier, sequences: NDArray[np.uint8]) -> States:
    """Gates and states of the last layer after each step, each (N, T, H), of a few sequences (N, T, F).

    Gates are between 0, shut, and 1, open; the hidden state is between -1 and 1; the cell state has no bound.

    Source: Hochreiter and Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735; the forget gate, Gers et al. 2000,
    doi:10.1162/089976600300015015; the order i, f, g, o is that of torch.nn.LSTM.
    """
    recurrent = classifier.recurrent
    with torch.inference_mode():
        inputs = torch.from_numpy(sequences).to(classifier.readout.weight.dtype) / WHITE
        for layer in range(recurrent.num_layers):
            states = _layer(recurrent, layer, inputs)
            inputs = states["hidden state"]
    return {name: state.numpy() for name, state in states.items()}


def _layer(recurrent: nn.RNNBase, layer: int, inputs: Tensor) -> dict[str, Tensor]:
    input_weight, hidden_weight, input_bias, hidden_bias = (
        getattr(recurrent, f"{name}_l{layer}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    driven = inputs @ input_weight.T + input_bias + hidden_bias  # (N, T, 4H)
    hidden = cell = inputs.new_zeros(len(inputs), recurrent.hidden_size)
    steps = []
    for step in range(inputs.shape[1]):
        gates = driven[:, step] + hidden @ hidden_weight.T
        i, f, g, o = gates.chunk(4, dim=1)
        i, f, o = torch.sigmoid(i), torch.sigmoid(f), torch.sigmoid(o)
        cell = f * cell + i * torch.tanh(g)
        hidden = o * torch.tanh(cell)
        steps.append((i, f, o, cell, hidden))
    names = ("input gate", "forget gate", "output gate", "cell state", "hidden state")
    return {name: torch.stack(state, dim=1) for name, state in zip(names, zip(*steps, strict=True), strict=True)}


# What can be seen inside each cell
STATES: dict[str, Callable[[RecurrentClassifier, NDArray[np.uint8]], States]] = {"lstm": lstm_states}


def units_read_most(classifier: RecurrentClassifier, count: int) -> NDArray[np.int64]:
    """The units whose hidden state moves the answer most, most first: the spread of their weights over classes."""
    spread = classifier.readout.weight.detach().std(dim=0)
    return torch.argsort(spread, descending=True, stable=True)[:count].numpy()
