"""Recurrent layers, readout, dropout and loss with the bits of the kernel, as functions of torch."""

import ctypes
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from mnist_lstm.core.kernel.buffers import buffer, give_back
from mnist_lstm.core.kernel.library import address, library

Gradients = tuple[Tensor | None, ...]
GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1}  # by torch's names, in the order of kernel.c


class Sizes(ctypes.Structure):
    """The sizes of a layer: kernel.c has the same."""

    _fields_ = [(name, ctypes.c_int64) for name in ("N", "T", "F", "H", "cell", "threads", "kept")]


class Layer(torch.autograd.Function):
    """One layer in one direction: inputs (N, T, F) and torch's weights to hidden states (N, T, H) and the last, (N, H).

    The cell is one of GATES. The initial state is zero. The number of threads is torch's. With `bfloat16` the factors
    of all products, and so the hidden states of all steps, are bfloat16; sums and cell states are float32.
    """

    @staticmethod
    def forward(
        ctx: Any, cell: str, bfloat16: bool, kept: bool, inputs: Tensor, *weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Hidden states of all steps, and of the last; what `backward` needs is `kept` only if it is to come."""
        w_ih, w_hh, b_ih, b_hh = weights
        (count, steps, features), units = inputs.shape, w_hh.shape[1]
        blocks = GATES[cell] * units
        sizes = Sizes(count, steps, features, units, [*GATES].index(cell), torch.get_num_threads(), kept)
        shapes = first, row, columns, state = [ctypes.c_int64() for _ in range(4)]
        kernel = library(bfloat16)
        kernel.layer_shapes(*map(ctypes.addressof, (sizes, *shapes)))
        rows = torch.empty(steps + 1, count, row.value, dtype=torch.bfloat16 if bfloat16 else torch.float32)
        held = steps if kept else 0
        gates = buffer(max(held, 1), count, columns.value, dtype=torch.int16 if bfloat16 else torch.float32)
        states = buffer(held + 1, count, state.value)
        failed = kernel.layer_forward(
            ctypes.addressof(sizes),
            address(inputs, count, steps, features),
            address(w_ih, blocks, features),
            address(w_hh, blocks, units),
            address(b_ih, blocks),
            address(b_hh, blocks),
            *(tensor.data_ptr() for tensor in (rows, gates, states)),
        )
        if failed:
            raise MemoryError("no memory for the weights of a step")
        ctx.save_for_backward(w_ih, w_hh, rows, gates, states)
        ctx.sizes, ctx.kernel, ctx.spent = sizes, kernel, False
        ctx.set_materialize_grads(False)
        outputs = rows[1:, :, first.value : first.value + units].transpose(0, 1)
        return outputs, outputs[:, -1].to(torch.float32, copy=True)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor | None, d_last: Tensor | None) -> Gradients:
        """Gradients of the inputs and weights; a second time only if `kept_buffers` does not give gates to others."""
        if ctx.spent:
            raise RuntimeError("the graph of an update cannot be used again during training: its gates may be others'")
        w_ih, w_hh, *saved = ctx.saved_tensors
        count, steps, features, units = (getattr(ctx.sizes, name) for name in "NTFH")
        weights = [torch.empty_like(w_ih), torch.empty_like(w_hh), *torch.empty(2, len(w_hh))]
        dx = torch.empty(count, steps, features) if ctx.needs_input_grad[3] else None
        d_outputs = None if d_outputs is None else d_outputs.float().contiguous()
        d_last = None if d_last is None else d_last.contiguous()
        failed = ctx.kernel.layer_backward(
            ctypes.addressof(ctx.sizes),
            *(tensor.data_ptr() for tensor in (w_ih, w_hh, *saved)),
            None if d_outputs is None else address(d_outputs, count, steps, units),
            None if d_last is None else address(d_last, count, units),
            *(tensor.data_ptr() for tensor in weights),
            None if dx is None else dx.data_ptr(),
        )
        if failed:
            raise MemoryError("no memory for the gradients")
        ctx.spent = give_back(*saved[1:])
        return None, None, None, dx, *weights


def recurrent(module: nn.RNNBase, inputs: Tensor, bfloat16: bool = False) -> tuple[Tensor, Any]:
    """As `module(inputs)`: outputs (N, T, D) and hidden states (layers * directions, N, H), but no cell state.

    Args:
        bfloat16: whether to multiply in it in training; evaluation is in float32.
    """
    last, half, kept = [], bfloat16 and module.training, torch.is_grad_enabled()
    for layer in range(module.num_layers):
        outputs = []
        for backwards in (False, True)[: 1 + module.bidirectional]:
            names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            weights = [getattr(module, f"{name}_l{layer}{'_reverse' * backwards}") for name in names]
            read = (inputs.flip(1) if backwards else inputs).float().contiguous()
            states, final = Layer.apply(module.mode, half, kept, read, *weights)  # type: ignore[no-untyped-call]
            outputs.append(states.flip(1) if backwards else states)
            last.append(final)
        inputs = torch.cat(outputs, 2) if len(outputs) > 1 else outputs[0]
        if module.training and module.dropout and layer < module.num_layers - 1:
            inputs = _dropped(inputs, module.dropout)
    hidden = torch.stack(last)
    return inputs, (hidden, None) if module.mode == "LSTM" else hidden


def dropout(layer: nn.Dropout, inputs: Tensor) -> Tensor:
    """As `layer(inputs)`, whose random numbers differ between processors."""
    return _dropped(inputs, layer.p) if layer.training and layer.p else inputs


def _dropped(inputs: Tensor, share: float) -> Tensor:
    """The inputs, a `share` of them zero; uniform numbers of torch are the same on every processor."""
    return inputs * ((torch.rand(inputs.shape) >= share).float() / (1 - share))


def product(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    """The matrix a (R, S) b (S, C) + bias (C), each element a sum in the order of S; `a` may have any strides."""
    (rows, terms), columns = a.shape, b.shape[1]
    out = torch.empty(rows, columns)
    library().product(
        rows,
        terms,
        columns,
        a.data_ptr(),
        *a.stride(),
        address(b, terms, columns),
        None if bias is None else address(bias, columns),
        out.data_ptr(),
    )
    return out


class _Linear(torch.autograd.Function):
    """As torch.nn.functional.linear: inputs (N, D), weight (K, D), bias (K,) to (N, K)."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(inputs, weight)
        return product(inputs.float(), weight.t().contiguous(), bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_out: Tensor) -> Gradients:
        inputs, weight = ctx.saved_tensors
        d_out = d_out.contiguous()
        d_bias = product(torch.ones(1, len(d_out)), d_out)[0]
        return product(d_out, weight), product(d_out.t(), inputs.contiguous()), d_bias


def linear(layer: nn.Linear, inputs: Tensor) -> Tensor:
    """As `layer(inputs)`."""
    return _Linear.apply(inputs, layer.weight, layer.bias)  # type: ignore[no-any-return,no-untyped-call]


class _CrossEntropy(torch.autograd.Function):
    """As torch.nn.functional.cross_entropy: logits (N, K), targets int64 (N,) to the mean loss in nats."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        loss, gradient = _cross_entropy(logits, targets, smoothing)
        ctx.save_for_backward(gradient)
        return torch.tensor(loss, dtype=torch.float32)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_loss: Tensor) -> Gradients:
        return ctx.saved_tensors[0] * d_loss, None, None


def portable_cross_entropy(logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """As torch.nn.functional.cross_entropy with this label smoothing."""
    return _CrossEntropy.apply(logits, targets, smoothing)  # type: ignore[no-any-return,no-untyped-call]


def _cross_entropy(logits: Tensor, targets: Tensor, smoothing: float = 0.0) -> tuple[float, Tensor]:
    """The mean loss, computed in float64, and the gradient of the logits."""
    gradient = torch.empty_like(logits)
    places = address(logits, *logits.shape), address(targets, len(logits), dtype=torch.int64)
    return library().cross_entropy(*logits.shape, *places, smoothing, gradient.data_ptr()), gradient


def mean_cross_entropy(logits: NDArray[np.float32], labels: NDArray[np.integer]) -> float:
    """The mean cross-entropy in nats of logits (N, K) with labels (N,)."""
    return _cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels.astype(np.int64)))[0]
