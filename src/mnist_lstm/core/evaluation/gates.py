"""Gates and states inside the cell at each step, from the equations of each cell type."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnist_lstm.core.model.classifier import RecurrentClassifier
from mnist_lstm.core.model.initialization import Layer, layer_weights
from mnist_lstm.core.model.stepwise import Equations, Seen, StepwiseCell, lstm


def states(classifier: RecurrentClassifier, sequences: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
    """Gates and states of the last layer at each step, each (N, T, H), for a small batch of sequences (N, T, F).

    For a bidirectional network (N, T, 2H), forward first. Gates are between 0 (closed) and 1 (open), the hidden state
    is between -1 and 1, and the cell state of an LSTM is unbounded.
    """
    recurrent = classifier.recurrent
    equations = recurrent.equations if isinstance(recurrent, StepwiseCell) else STATES[classifier.model.cell]
    with torch.inference_mode():
        given = torch.from_numpy(sequences)
        inputs, present = classifier.scaled(given), classifier.present(given)
        for layer in range(recurrent.num_layers):
            ways = [
                _read(equations, weights, inputs, present, backwards=bool(way))
                for way, weights in enumerate(layer_weights(recurrent, layer))
            ]
            seen = {name: torch.cat([way[name] for way in ways], dim=-1) for name in ways[0]}
            inputs = seen["hidden state"]
    return {name: state.numpy() for name, state in seen.items()}


def _read(equations: Equations, weights: Layer, inputs: Tensor, present: Tensor, backwards: bool) -> Seen:
    """Gates and states of a layer in one direction, each (N, T, H), in the order of the inputs (N, T, F).

    Where a step is not present (N, T, 1), they stay as they were before it.
    """
    driven = inputs @ weights.input_weight.T + weights.input_bias  # (N, T, G * H)
    empty = inputs.new_zeros(len(inputs), weights.hidden_weight.shape[1])
    seen: Seen = {"hidden state": empty, "cell state": empty}
    steps = []
    for step in range(inputs.shape[1])[:: -1 if backwards else 1]:
        recalled = seen["hidden state"] @ weights.hidden_weight.T + weights.hidden_bias
        found = equations(driven[:, step], recalled, seen)
        seen = {name: torch.where(present[:, step], now, seen.get(name, now)) for name, now in found.items()}
        steps.append(seen)
    return {name: torch.stack([each[name] for each in steps[:: -1 if backwards else 1]], dim=1) for name in seen}


def _gru(driven: Tensor, recalled: Tensor, before: Seen) -> Seen:
    """Cho et al. 2014, doi:10.3115/v1/D14-1179, with the reset gate applied after the product, as in torch.nn.GRU."""
    (r, z, n), (r_recalled, z_recalled, n_recalled) = driven.chunk(3, dim=1), recalled.chunk(3, dim=1)
    r, z = torch.sigmoid(r + r_recalled), torch.sigmoid(z + z_recalled)
    candidate = torch.tanh(n + r * n_recalled)
    hidden = (1 - z) * candidate + z * before["hidden state"]
    return {"reset gate": r, "update gate": z, "candidate state": candidate, "hidden state": hidden}


def _rnn(driven: Tensor, recalled: Tensor, before: Seen) -> Seen:
    """Elman 1990, doi:10.1207/s15516709cog1402_1."""
    return {"hidden state": torch.tanh(driven + recalled)}


STATES: dict[str, Equations] = {"lstm": lstm, "gru": _gru, "rnn": _rnn}


def units_read_most(classifier: RecurrentClassifier, count: int) -> NDArray[np.int64]:
    """The units with the most influence on the logits, by the spread of their readout weights over classes."""
    spread = classifier.readout.weight.detach().std(dim=0)
    return torch.argsort(spread, descending=True, stable=True)[:count].numpy()
