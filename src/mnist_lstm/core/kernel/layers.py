"""LSTM, readout, dropout and loss with the bits of the kernel, as functions of torch."""

import ctypes
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from mnist_lstm.core.kernel.library import address, library

Gradients = tuple[Tensor | None, ...]


class Sizes(ctypes.Structure):
    """The sizes of a layer: kernel.c has the same."""

    _fields_ = [(name, ctypes.c_int64) for name in ("N", "T", "F", "H", "threads")]


class LSTMLayer(torch.autograd.Function):
    """One layer in one direction: inputs (N, T, F) and torch's weights to hidden states (N, T, H) and the last, (N, H).

    The initial state is zero. The number of threads is torch's.
    """

    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Hidden states of all steps, and of the last."""
        (count, steps, features), units = inputs.shape, w_hh.shape[1]
        sizes = Sizes(count, steps, features, units, torch.get_num_threads())
        row, padded = ctypes.c_int64(), ctypes.c_int64()
        library().lstm_shapes(*map(ctypes.addressof, (sizes, row, padded)))
        rows = torch.empty(steps + 1, count, row.value)
        gates, cells = torch.empty(steps, count, 4 * padded.value), torch.empty(steps + 1, count, padded.value)
        failed = library().lstm_forward(
            ctypes.addressof(sizes),
            address(inputs, count, steps, features),
            address(w_ih, 4 * units, features),
            address(w_hh, 4 * units, units),
            address(b_ih, 4 * units),
            address(b_hh, 4 * units),
            *(tensor.data_ptr() for tensor in (rows, gates, cells)),
        )
        if failed:
            raise MemoryError("no memory for the weights of a step")
        ctx.save_for_backward(w_ih, w_hh, rows, gates, cells)
        ctx.sizes = sizes
        ctx.set_materialize_grads(False)
        outputs = rows[1:, :, features : features + units].transpose(0, 1)
        return outputs, outputs[:, -1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor | None, d_last: Tensor | None) -> Gradients:
        """Gradients of the five arguments; that of both biases is the same."""
        w_ih, w_hh, *saved = ctx.saved_tensors
        count, steps, features, units = (getattr(ctx.sizes, name) for name in "NTFH")
        dw_ih, dw_hh, db = torch.empty_like(w_ih), torch.empty_like(w_hh), torch.empty(4 * units)
        dx = torch.empty(count, steps, features) if ctx.needs_input_grad[0] else None
        d_outputs = None if d_outputs is None else d_outputs.contiguous()
        d_last = None if d_last is None else d_last.contiguous()
        failed = library().lstm_backward(
            ctypes.addressof(ctx.sizes),
            *(tensor.data_ptr() for tensor in (w_ih, w_hh, *saved)),
            None if d_outputs is None else address(d_outputs, count, steps, units),
            None if d_last is None else address(d_last, count, units),
            *(tensor.data_ptr() for tensor in (dw_ih, dw_hh, db)),
            None if dx is None else dx.data_ptr(),
        )
        if failed:
            raise MemoryError("no memory for the gradients")
        return dx, dw_ih, dw_hh, db, db.clone()


def lstm(recurrent: nn.RNNBase, inputs: Tensor) -> tuple[Tensor, tuple[Tensor, None]]:
    """As `recurrent(inputs)`: outputs (N, T, D) and hidden states (layers * directions, N, H), but no cell state."""
    last = []
    for layer in range(recurrent.num_layers):
        outputs = []
        for backwards in (False, True)[: 1 + recurrent.bidirectional]:
            names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            weights = [getattr(recurrent, f"{name}_l{layer}{'_reverse' * backwards}") for name in names]
            read = (inputs.flip(1) if backwards else inputs).contiguous()
            states, final = LSTMLayer.apply(read, *weights)  # type: ignore[no-untyped-call]
            outputs.append(states.flip(1) if backwards else states)
            last.append(final)
        inputs = torch.cat(outputs, 2) if len(outputs) > 1 else outputs[0]
        if recurrent.training and recurrent.dropout and layer < recurrent.num_layers - 1:
            inputs = _dropped(inputs, recurrent.dropout)
    return inputs, (torch.stack(last), None)


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


class Linear(torch.autograd.Function):
    """As torch.nn.functional.linear: inputs (N, D), weight (K, D), bias (K,) to (N, K)."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """The products plus the bias."""
        ctx.save_for_backward(inputs, weight)
        return product(inputs.float(), weight.t().contiguous(), bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_out: Tensor) -> Gradients:
        """Gradients of the three arguments."""
        inputs, weight = ctx.saved_tensors
        d_out = d_out.contiguous()
        d_bias = product(torch.ones(1, len(d_out)), d_out)[0]
        return product(d_out, weight), product(d_out.t(), inputs.contiguous()), d_bias


def linear(layer: nn.Linear, inputs: Tensor) -> Tensor:
    """As `layer(inputs)`."""
    return Linear.apply(inputs, layer.weight, layer.bias)  # type: ignore[no-any-return,no-untyped-call]


class CrossEntropy(torch.autograd.Function):
    """As torch.nn.functional.cross_entropy: logits (N, K), targets int64 (N,) to the mean loss in nats."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        """The loss, computed in float64."""
        loss, gradient = _cross_entropy(logits, targets, smoothing)
        ctx.save_for_backward(gradient)
        return torch.tensor(loss, dtype=torch.float32)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_loss: Tensor) -> Gradients:
        """The gradient of the logits."""
        return ctx.saved_tensors[0] * d_loss, None, None


def portable_cross_entropy(logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """As torch.nn.functional.cross_entropy with this label smoothing."""
    return CrossEntropy.apply(logits, targets, smoothing)  # type: ignore[no-any-return,no-untyped-call]


def _cross_entropy(logits: Tensor, targets: Tensor, smoothing: float = 0.0) -> tuple[float, Tensor]:
    """The mean loss and the gradient of the logits."""
    gradient = torch.empty_like(logits)
    places = address(logits, *logits.shape), address(targets, len(logits), dtype=torch.int64)
    return library().cross_entropy(*logits.shape, *places, smoothing, gradient.data_ptr()), gradient


def mean_cross_entropy(logits: NDArray[np.float32], labels: NDArray[np.integer]) -> float:
    """The mean cross-entropy in nats of logits (N, K) with labels (N,)."""
    return _cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels.astype(np.int64)))[0]
