"""The nodes of an ONNX graph that read series of numbers to their own last step; the counterpart of `model.series`."""

from typing import Any, NamedTuple

import numpy as np

from mnist_lstm.core.model.onnx_graph import Graph

SERIES = "series"  # name of the input
FLOAT, INT32 = 1, 6  # ONNX's numbers of the types


class Read(NamedTuple):
    """Names of what a graph makes of its input."""

    sequences: str  # the recurrent layers' input, (T, N, F)
    lengths: str = ""  # steps of each series, int32 (N,); empty where all are complete
    present: str = ""  # which steps there are, bool (T, N, 1); likewise


def series(graph: Graph, arrays: dict[str, Any]) -> Read:
    """Series (N, T, F), nan after their last step, scaled and then 0 there."""
    steps_first = graph.add("Transpose", SERIES, perm=[1, 0, 2])
    moved = graph.add("Sub", steps_first, graph.constant("mean", arrays["mean"]))
    scaled = graph.add("Div", moved, graph.constant("deviation", arrays["deviation"]))
    filled = graph.add("Where", graph.add("IsNaN", scaled), graph.constant("zero", np.float32(0)), scaled)
    first = graph.add("Gather", steps_first, graph.constant("first_feature", np.array([0], np.int64)), axis=2)
    present = graph.add("Not", graph.add("IsNaN", first))
    counted = graph.add("ReduceSum", graph.add("Cast", present, to=INT32), _steps_and_features(graph), keepdims=0)
    return Read(filled, counted, present)


def mean_over_present(graph: Graph, outputs: str, read: Read) -> str:
    """The mean of outputs (T, N, D), which are 0 after the last step of a series."""
    total = graph.add("ReduceSum", outputs, graph.constant("steps_axis", np.array([0], np.int64)), keepdims=0)
    column = graph.constant("features_axis", np.array([1], np.int64))
    return graph.add("Div", total, graph.add("Unsqueeze", graph.add("Cast", read.lengths, to=FLOAT), column))


def only_present(graph: Graph, scores: str, read: Read) -> str:
    """Attention scores (T, N, 1), without weight after the last step of a series."""
    return graph.add("Where", read.present, scores, graph.constant("no_weight", np.float32(-np.inf)))


def _steps_and_features(graph: Graph) -> str:
    return graph.constant("steps_and_features", np.array([0, 2], np.int64))
