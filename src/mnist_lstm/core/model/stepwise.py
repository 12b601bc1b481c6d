"""Cells computed step by step from their equations, for what torch.nn does not have, as refined gates and zoneout."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, linear

from mnist_lstm.core.model.initialization import Layer, layer_weights

Seen = dict[str, Tensor]  # gates and states by name, each (N, H)
# From the weighted input, the weighted previous hidden state, (N, G * H), and the previous states
Equations = Callable[[Tensor, Tensor, Seen], Seen]


def lstm_step(
    driven: Tensor, hidden: Tensor, cell: Tensor, refined: bool = False, zoneout: float = 0.0, training: bool = False
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """One step of an LSTM: its input, forget and output gate, and the new cell and hidden states, each (N, H).

    With the sigmoids i, f, o and the tanh g of what drives them, a plain step is c' = f c + i g, h' = o tanh(c').

    Refined gates have in the place of i a gate r, which moves f by at most f (1 - f): with

        e = r (1 - (1 - f)^2) + (1 - r) f^2 = f + (2 r - 1) f (1 - f),

    c' = e c + (1 - e) g. At r = 1/2, e = f. So e can be near 0 or 1 where neither sigmoid is saturated.

    Zoneout with probability z keeps a unit's c, and independently its h, as it was before the step; the new h comes
    from the c' that knows no zoneout. Evaluation takes the means z c + (1 - z) c' and z h + (1 - z) h'.

    Args:
        driven: input and hidden state times their weights, with biases, (N, 4H), in torch's order i (or r), f, g, o.
        hidden, cell: the states before the step, (N, H).
        zoneout: z.
        training: whether zoneout draws, from torch's generator, or takes means.

    Source: Hochreiter and Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735, and for the forget gate Gers et al. 2000,
        doi:10.1162/089976600300015015; refined gates: Gu et al. 2020, arXiv:1910.09890; zoneout: Krueger et al. 2017,
        arXiv:1606.01305.
    """
    i, f, g, o = driven.chunk(4, dim=1)
    i, f, o = torch.sigmoid(i), torch.sigmoid(f), torch.sigmoid(o)
    if refined:
        f = f + (2 * i - 1) * f * (1 - f)
        i = 1 - f
    new_cell = f * cell + i * torch.tanh(g)
    new_hidden = o * torch.tanh(new_cell)
    if zoneout:
        new_hidden = _zoned_out(hidden, new_hidden, zoneout, training)
        new_cell = _zoned_out(cell, new_cell, zoneout, training)
    return i, f, o, new_cell, new_hidden


def _zoned_out(before: Tensor, after: Tensor, zoneout: float, training: bool) -> Tensor:
    if not training:
        return zoneout * before + (1 - zoneout) * after
    return torch.where(torch.rand_like(after) < zoneout, before, after)


def lstm(driven: Tensor, recalled: Tensor, before: Seen, refined: bool = False, zoneout: float = 0.0) -> Seen:
    """Of refined gates the gate that forgets, g, and its complement; of zoneout the mean states."""
    now = lstm_step(driven + recalled, before["hidden state"], before["cell state"], refined, zoneout)
    names = ("input gate", "forget gate", "output gate", "cell state", "hidden state")
    return dict(zip(names, now, strict=True))


class StepwiseCell(nn.RNNBase):
    """Layers of a cell, from its equations: weights by the names of torch.nn.LSTM, its arguments, and more time.

    Args:
        equations: of a step; "hidden state" is among what they give.
        gates: G, how many blocks of H rows the weights have.
        arguments, settings: of torch.nn.LSTM, with batch_first.
    """

    def __init__(self, equations: Equations, gates: int, *arguments: Any, **settings: Any):
        super().__init__("RNN_TANH", *arguments, **settings)  # torch takes no other cell than its own
        self.mode, self.equations = "STEPWISE", equations
        for name, weight in list(self.named_parameters()):
            setattr(self, name, nn.Parameter(torch.empty(gates * len(weight), *weight.shape[1:])))

    def flatten_parameters(self) -> None:
        """Nothing: cuDNN has no such cell."""

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs (N, T, D), and the last hidden states, (layers * directions, N, H)."""
        last = []
        for layer in range(self.num_layers):
            inputs = dropout(inputs, self.dropout, self.training) if layer else inputs
            there, *back = layer_weights(self, layer)
            outputs = [self.one_way(inputs, there), *(self.one_way(inputs.flip(1), each).flip(1) for each in back)]
            last += [outputs[0][:, -1], *(each[:, 0] for each in outputs[1:])]
            inputs = torch.cat(outputs, dim=2)
        return inputs, torch.stack(last)

    def one_way(self, inputs: Tensor, weights: Layer) -> Tensor:
        """The hidden states (N, T, H) of one layer that reads inputs (N, T, F) from the first step to the last."""
        empty = inputs.new_zeros(inputs.shape[0], self.hidden_size)  # len() would fix N in an export
        seen, states = {"hidden state": empty, "cell state": empty}, []
        for step in linear(inputs, weights.input_weight, weights.input_bias).unbind(1):
            recalled = linear(seen["hidden state"], weights.hidden_weight, weights.hidden_bias)
            seen = self.equations(step, recalled, seen)
            states.append(seen["hidden state"])
        return torch.stack(states, dim=1)


class StepwiseLSTM(StepwiseCell):
    """An LSTM with refined gates or zoneout.

    Args:
        zoneout: probability that a unit keeps its state in a step, 0 to 1.
    """

    def __init__(self, refined: bool, zoneout: float, *arguments: Any, **settings: Any):
        super().__init__(partial(lstm, refined=refined, zoneout=zoneout), 4, *arguments, **settings)
        self.mode, self.refined, self.zoneout = "LSTM", refined, zoneout

    def one_way(self, inputs: Tensor, weights: Layer) -> Tensor:
        """As that of any cell, with the zoneout of training, and both biases in one sum."""
        driven = linear(inputs, weights.input_weight, weights.input_bias + weights.hidden_bias)
        hidden = cell = inputs.new_zeros(inputs.shape[0], self.hidden_size)
        states = []
        for step in driven.unbind(1):
            recalled = step + linear(hidden, weights.hidden_weight)
            *_, cell, hidden = lstm_step(recalled, hidden, cell, self.refined, self.zoneout, self.training)
            states.append(hidden)
        return torch.stack(states, dim=1)
