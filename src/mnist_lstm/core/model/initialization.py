"""Initial weights, and biases that stay constant."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mnist_lstm.core.model.draws import Draws
from mnist_lstm.parameters import ModelParameters

ONE_BIAS = ("LSTM", "RNN_TANH")  # cells that only use the sum of torch's two biases


class Layer(NamedTuple):
    """The weights of a layer in one direction, in torch's shapes; the cell has G gates."""

    input_weight: Tensor  # (G * H, F)
    hidden_weight: Tensor  # (G * H, H)
    input_bias: Tensor  # (G * H,)
    hidden_bias: Tensor  # (G * H,)


def layer_weights(recurrent: nn.RNNBase, layer: int) -> list[Layer]:
    """The weights of a layer: forward, then backward if it is bidirectional."""
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    ends = ("", "_reverse") if recurrent.bidirectional else ("",)
    return [Layer(*(getattr(recurrent, f"{name}_l{layer}{end}") for name in names)) for end in ends]


def initialize(recurrent: nn.RNNBase, readout: nn.Linear, model: ModelParameters, steps: int, draws: Draws) -> None:
    """Draws the weights of the cells and of the readout, and fixes the biases that are not trained.

    Args:
        readout: the linear layer from hidden states to logits.
        steps: T, the length of the sequences.
    """
    with torch.no_grad():
        INITIALIZATIONS[model.initialization](recurrent, readout, steps, draws)
        if recurrent.mode in ONE_BIAS:
            _fix_second_bias(recurrent, model.forget_bias)
        if model.gates == "refined":
            _draw_uniform_gates(recurrent, draws)


def _fix_second_bias(recurrent: nn.RNNBase, forget_bias: float) -> None:
    """Freezes torch's second bias: BasicLSTMCell's constant in the forget gate, 0 elsewhere.

    If both biases were trained, their sum would move at twice TensorFlow's rate. torch's gate order is i, f, g, o.
    """
    for layer in _layers(recurrent):
        layer.hidden_bias.zero_()
        if recurrent.mode == "LSTM":
            layer.hidden_bias[recurrent.hidden_size : 2 * recurrent.hidden_size] = forget_bias
        layer.hidden_bias.requires_grad_(False)


def _layers(recurrent: nn.RNNBase) -> Iterator[Layer]:
    for layer in range(recurrent.num_layers):
        yield from layer_weights(recurrent, layer)


def _tensorflow(recurrent: nn.RNNBase, readout: nn.Linear, _: int, draws: Draws) -> None:
    """Glorot-uniform kernels, zero biases except in the GRU's gates, and the tutorial's readout from N(0, 1).

    TensorFlow stores input and hidden weights in one kernel, so the limit is that of the joint kernel: (F + H, 4H) for
    BasicLSTMCell and (F + H, H) for BasicRNNCell. GRUCell has two: one for both gates, whose bias is 1, and one for
    the candidate.
    Source: Glorot and Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html, and TensorFlow's rnn_cell_impl.py.
    """
    units = recurrent.hidden_size
    for layer in _layers(recurrent):
        sizes = [2 * units, units] if recurrent.mode == "GRU" else [len(layer.input_weight)]
        parts = (torch.split(weight, sizes) for weight in (layer.input_weight, layer.hidden_weight))
        inputs = layer.input_weight.shape[1] + units
        for kernel in zip(*parts, strict=True):
            limit = math.sqrt(6 / (inputs + len(kernel[0])))
            for weight in kernel:
                draws.uniform(weight, limit)
        layer.input_bias.zero_()
        layer.hidden_bias.zero_()
        if recurrent.mode == "GRU":
            layer.input_bias[: 2 * units] = 1
    draws.normal(readout.weight)
    draws.normal(readout.bias)


def _torch(recurrent: nn.RNNBase, readout: nn.Linear, _: int, draws: Draws) -> None:
    """The defaults of torch: weights and biases uniform within 1 / sqrt(H), the readout within 1 / sqrt(inputs)."""
    limit = 1 / math.sqrt(recurrent.hidden_size)
    for layer in _layers(recurrent):
        for weight in layer:
            draws.uniform(weight, limit)
    limit = 1 / math.sqrt(readout.in_features)
    draws.uniform(readout.weight, limit)
    draws.uniform(readout.bias, limit)


def _orthogonal(recurrent: nn.RNNBase, readout: nn.Linear, _: int, draws: Draws) -> None:
    """Orthogonal hidden weights and Glorot-uniform input weights per gate, zero biases, Glorot-uniform readout.

    Source: Saxe et al. 2014, arXiv:1312.6120.
    """
    units = recurrent.hidden_size
    for layer in _layers(recurrent):
        for weight in torch.split(layer.input_weight, units):
            draws.uniform(weight, _glorot(weight))
        for weight in torch.split(layer.hidden_weight, units):
            draws.orthogonal(weight)
        layer.input_bias.zero_()
        layer.hidden_bias.zero_()
    draws.uniform(readout.weight, _glorot(readout.weight))
    readout.bias.zero_()


def _glorot(weight: Tensor) -> float:
    return math.sqrt(3) * math.sqrt(2 / sum(weight.shape))


def _chrono(recurrent: nn.RNNBase, readout: nn.Linear, steps: int, draws: Draws) -> None:
    """As `orthogonal`, with gate biases that make units remember for 1 to T steps.

    The bias of the forget gate is log(u), u uniform between 1 and T - 1, and that of the input gate is -log(u), so a
    unit adds as slowly as it forgets. The GRU's gate z does both: 1 preserves the state. A plain RNN has no gates.
    Use it for hundreds of steps, where a forget bias of 1 forgets everything, with model.forget_bias = 0.

    Source: Tallec and Ollivier 2018, arXiv:1804.11188.
    """
    _orthogonal(recurrent, readout, steps, draws)
    _bias_gates(recurrent, partial(draws.log_uniform, recurrent.hidden_size, max(steps - 1, 1)))


def _bias_gates(recurrent: nn.RNNBase, draw: Callable[[], Tensor]) -> None:
    """Sets the biases of each layer's forget gates, (H,), and their opposites in the input gates."""
    units = recurrent.hidden_size
    for layer in _layers(recurrent):
        if recurrent.mode in ("LSTM", "GRU"):
            slowness = draw()
            layer.input_bias[units : 2 * units] = slowness  # torch's gate orders are i, f, g, o and r, z, n
        if recurrent.mode == "LSTM":
            layer.input_bias[:units] = -slowness


def _uniform_gates(recurrent: nn.RNNBase, readout: nn.Linear, steps: int, draws: Draws) -> None:
    """As `orthogonal`, with gate biases that make units remember for a few steps, some for up to H, whatever T is.

    As with `chrono`, use it with model.forget_bias = 0.
    """
    _orthogonal(recurrent, readout, steps, draws)
    _draw_uniform_gates(recurrent, draws)


def _draw_uniform_gates(recurrent: nn.RNNBase, draws: Draws) -> None:
    """Draws gate biases that make an untrained forget gate uniform between 1/H and 1 - 1/H.

    The bias of the forget gate is b = log(u / (1 - u)), u uniform in that interval, and that of the input gate, or of
    the refine gate, is -b. Both are trained then; the paper trains one vector that stands in both.

    Source: Gu et al. 2020, arXiv:1910.09890, uniform gate initialization.
    """
    units = recurrent.hidden_size
    _bias_gates(recurrent, partial(draws.logit_uniform, units, 1 / max(units, 2)))


INITIALIZATIONS: dict[str, Callable[[nn.RNNBase, nn.Linear, int, Draws], None]] = {
    "tensorflow": _tensorflow,
    "torch": _torch,
    "orthogonal": _orthogonal,
    "chrono": _chrono,
    "uniform_gates": _uniform_gates,
}
