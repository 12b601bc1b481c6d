"""Series of numbers that end at different steps: their scale, and recurrent layers that read each to its own last step.

A series is nan after its last step.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import dropout

from mnist_lstm.core.model.initialization import Layer, layer_weights
from mnist_lstm.core.model.stepwise import StepwiseCell


def mean_and_deviation(series: NDArray[np.float32]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (F,) of each feature over all steps of series (N, T, F); 1 for a constant feature."""
    mean = np.nanmean(series, axis=(0, 1), dtype=np.float64)
    deviation = np.nanstd(series, axis=(0, 1), dtype=np.float64)
    constant = deviation <= np.finfo(np.float32).eps * np.abs(mean)
    return tuple(torch.from_numpy(each.astype(np.float32)) for each in (mean, np.where(constant, 1, deviation)))  # type: ignore[return-value]


def until_last(outputs: Tensor, lengths: Tensor) -> Tensor:
    """The outputs (N, T, D); those after the last of `lengths` (N, 1) steps are that of the last step."""
    steps = torch.arange(outputs.shape[1], device=outputs.device)
    return _at(outputs, torch.minimum(steps, lengths - 1))


def both_ways(recurrent: nn.RNNBase, inputs: Tensor, lengths: Tensor) -> Tensor:
    """Outputs (N, T, 2H) of a bidirectional network that reads inputs (N, T, F) back from their own last step.

    torch's own backward direction would begin in the steps after the last.
    """
    steps = torch.arange(inputs.shape[1], device=inputs.device)
    mirrored = torch.where(steps < lengths, lengths - 1 - steps, steps)  # mirrors twice to itself
    for layer in range(recurrent.num_layers):
        inputs = dropout(inputs, recurrent.dropout, recurrent.training) if layer else inputs
        there, back = layer_weights(recurrent, layer)
        inputs = torch.cat(
            [_one_way(recurrent, inputs, there), _at(_one_way(recurrent, _at(inputs, mirrored), back), mirrored)],
            dim=-1,
        )
    return inputs


def _one_way(recurrent: nn.RNNBase, inputs: Tensor, weights: Layer) -> Tensor:
    if isinstance(recurrent, StepwiseCell):
        return recurrent.one_way(inputs, weights)
    empty = inputs.new_zeros(1, inputs.shape[0], recurrent.hidden_size)
    state = (empty, empty) if recurrent.mode == "LSTM" else empty
    operation = getattr(torch, recurrent.mode.lower())
    outputs: Tensor = operation(inputs, state, list(weights), True, 1, 0.0, recurrent.training, False, True)[0]
    return outputs


def _at(values: Tensor, steps: Tensor) -> Tensor:
    """The values (N, T, D) at these steps (N, T)."""
    return values.gather(1, steps[..., None].expand(-1, -1, values.shape[2]))
