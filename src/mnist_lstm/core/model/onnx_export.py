"""The classifier of raw images as an ONNX file: one LSTM, GRU or RNN node for each layer.

torch's exporters unroll the plain RNN into 172 nodes for 28 steps, so the graph is built here, node by node. It
needs the package onnx, of the extra `onnx`.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mnist_lstm.core.model.classifier import WHITE
from mnist_lstm.core.model.onnx_graph import Graph
from mnist_lstm.errors import UserError, listed
from mnist_lstm.parameters import ModelParameters

IMAGES, SERIES, PROBABILITIES = "images", "series", "probabilities"
FLOAT, INT32 = 1, 6  # ONNX's numbers of the types


class Read(NamedTuple):
    """Names of what a graph makes of its input."""

    sequences: str  # the recurrent layers' input, (T, N, F)
    lengths: str = ""  # steps of each series, int32 (N,); empty where all are complete
    present: str = ""  # which steps there are, bool (T, N, 1); likewise


class Operator(NamedTuple):
    """How ONNX names a cell.

    Source: https://onnx.ai/onnx/operators/ (LSTM, GRU, RNN) and torch's documentation of the cells.
    """

    name: str  # of the operator
    gates: tuple[int, ...]  # for each gate in ONNX's order, its position in torch's
    attributes: dict[str, int]  # of the node


OPERATORS = {
    "lstm": Operator("LSTM", (0, 3, 1, 2), {}),  # i, o, f, c; torch has i, f, g, o
    "gru": Operator("GRU", (1, 0, 2), {"linear_before_reset": 1}),  # z, r, h; torch has r, z, n
    "rnn": Operator("RNN", (0,), {}),
}
KERNELS = {"W": ["weight_ih"], "R": ["weight_hh"], "B": ["bias_ih", "bias_hh"]}  # torch's weights in each of ONNX's


def expect_exportable(model: ModelParameters) -> None:
    """Checks that ONNX has operators for a network."""
    possible: dict[str, list[Any]] = {
        "cell": [*OPERATORS],
        "gates": ["plain"],
        "zoneout": [0.0],
        "pooling": [*POOLINGS],
    }
    for key, values in possible.items():
        if (found := getattr(model, key)) not in values:
            raise UserError(f"model.{key} must be one of {listed(values)} to be exported to ONNX, found {found!r}.")


def to_onnx(
    model: ModelParameters,
    weights: Mapping[str, Tensor],
    pixel_order: NDArray[np.int64],
    image_shape: tuple[int, int],
    metadata: Mapping[str, str],
) -> bytes:
    """The content of an ONNX file that maps images to class probabilities; equal arguments give equal bytes.

    Its input `images` is uint8 (N, height, width), its output `probabilities` float32 (N, K), for any N >= 1. Of a
    classifier of series the input `series` is float32 (N, T, F), nan after the last step of each. `pixel_order` is that
    of the view, (T, F), `image_shape` height and width.

    Raises:
        UserError: if onnx is not installed, or has no operator for the cell or the pooling.
    """
    expect_exportable(model)
    try:
        from onnx import TensorProto, helper
    except ImportError:
        raise UserError(
            "an ONNX file needs the package onnx; install it: pip install -c requirements.lock -e '.[onnx]'."
        ) from None
    arrays = {name: weight.detach().cpu().float().numpy() for name, weight in weights.items()}
    graph = Graph(helper)
    of_series = "mean" in arrays
    read = _series(graph, arrays) if of_series else Read(_sequences(graph, pixel_order))
    outputs, final = _read(graph, model, arrays, read)
    summary = POOLINGS[model.pooling](graph, arrays, outputs, final, read)
    head = [graph.constant(name, arrays[name]) for name in ("readout.weight", "readout.bias")]
    graph.add("Softmax", graph.add("Gemm", summary, *head, transB=1), name=PROBABILITIES, axis=-1)
    name, kind = (SERIES, TensorProto.FLOAT) if of_series else (IMAGES, TensorProto.UINT8)
    given = helper.make_tensor_value_info(name, kind, ["N", *image_shape])
    return graph.content(given, PROBABILITIES, ["N", len(arrays["readout.bias"])], metadata)


def _sequences(graph: Graph, pixel_order: NDArray[np.int64]) -> str:
    """Images as sequences of fractions, (T, N, F)."""
    steps, features = pixel_order.shape
    pixels = graph.add("Flatten", IMAGES, axis=1)
    if not np.array_equal(pixel_order.ravel(), np.arange(pixel_order.max() + 1)):
        order = graph.constant("pixel_order", pixel_order.ravel().astype(np.int32))
        pixels = graph.add("Gather", pixels, order, axis=1)
    shape = graph.constant("sequence_shape", np.array([-1, steps, features], np.int64))
    steps_first = graph.add("Transpose", graph.add("Reshape", pixels, shape), perm=[1, 0, 2])
    scaled = graph.add("Cast", steps_first, to=FLOAT)
    return graph.add("Div", scaled, graph.constant("white", np.float32(WHITE)))


def _series(graph: Graph, arrays: dict[str, Any]) -> Read:
    """Series (N, T, F), nan after their last step, scaled and then 0 there."""
    steps_first = graph.add("Transpose", SERIES, perm=[1, 0, 2])
    moved = graph.add("Sub", steps_first, graph.constant("mean", arrays["mean"]))
    scaled = graph.add("Div", moved, graph.constant("deviation", arrays["deviation"]))
    filled = graph.add("Where", graph.add("IsNaN", scaled), graph.constant("zero", np.float32(0)), scaled)
    first = graph.add("Gather", steps_first, graph.constant("first_feature", np.array([0], np.int64)), axis=2)
    present = graph.add("Not", graph.add("IsNaN", first))
    axes = graph.constant("steps_and_features", np.array([0, 2], np.int64))
    return Read(filled, graph.add("ReduceSum", graph.add("Cast", present, to=INT32), axes, keepdims=0), present)


def _read(graph: Graph, model: ModelParameters, arrays: dict[str, Any], read: Read) -> tuple[str, str]:
    """The last layer's outputs (T, N, D) and its final hidden state (N, D), D units of all directions."""
    directions = ["", "_reverse"] if model.bidirectional else [""]
    flat = graph.constant("units_of_all_directions", np.array([0, 0, -1], np.int64))
    operator, outputs = OPERATORS[model.cell], read.sequences
    for layer in range(model.num_layers):
        suffixes = [f"l{layer}{direction}" for direction in directions]
        kernels = [
            graph.constant(f"layer{layer}.{name}", np.stack([_kernel(arrays, of, end, operator) for end in suffixes]))
            for name, of in KERNELS.items()
        ]
        name = graph.add(
            operator.name,
            outputs,
            *kernels,
            *filter(None, [read.lengths]),
            name=f"layer{layer}",
            outputs=2,
            hidden_size=model.hidden_size,
            direction="bidirectional" if model.bidirectional else "forward",
            **operator.attributes,
        )
        # (T, directions, N, H)
        outputs = graph.add("Reshape", graph.add("Transpose", name, perm=[0, 2, 1, 3]), flat)
    units = graph.constant("units_of_the_final_state", np.array([0, -1], np.int64))
    return outputs, graph.add("Reshape", graph.add("Transpose", f"{name}.1", perm=[1, 0, 2]), units)


def _kernel(arrays: dict[str, Any], of: list[str], suffix: str, operator: Operator) -> NDArray[np.float32]:
    """These weights of a layer in one direction, the rows of each gate in ONNX's order."""
    gates = [np.split(arrays[f"recurrent.{name}_{suffix}"], len(operator.gates)) for name in of]
    return np.concatenate([parts[gate] for parts in gates for gate in operator.gates])


def _mean(graph: Graph, arrays: dict[str, Any], outputs: str, final: str, read: Read) -> str:
    if not read.lengths:
        return graph.add("ReduceMean", outputs, axes=[0], keepdims=0)
    total = _sum_over_steps(graph, outputs)  # they are 0 after the last step of a series
    column = graph.constant("features_axis", np.array([1], np.int64))
    return graph.add("Div", total, graph.add("Unsqueeze", graph.add("Cast", read.lengths, to=FLOAT), column))


def _attention(graph: Graph, arrays: dict[str, Any], outputs: str, final: str, read: Read) -> str:
    kernel = graph.constant("attention.weight", arrays["attention.weight"].T)
    scores = graph.add("MatMul", graph.add("Tanh", outputs), kernel)
    if read.present:
        scores = graph.add("Where", read.present, scores, graph.constant("no_weight", np.float32(-np.inf)))
    return _sum_over_steps(graph, graph.add("Mul", graph.add("Softmax", scores, axis=0), outputs))


def _sum_over_steps(graph: Graph, values: str) -> str:
    return graph.add("ReduceSum", values, graph.constant("steps_axis", np.array([0], np.int64)), keepdims=0)


# The counterparts of `pooling.POOLINGS`
POOLINGS: dict[str, Callable[[Graph, dict[str, Any], str, str, Read], str]] = {
    "last": lambda graph, arrays, outputs, final, read: final,
    "mean": _mean,
    "attention": _attention,
}
