"""An ONNX graph that is built node by node, and its file."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

OPSET, IR_VERSION = 17, 8  # read by onnxruntime from 1.12 on


class Graph:
    """An ONNX graph while it grows; each call returns the name of the node's first output."""

    def __init__(self, helper: Any):
        self._helper = helper
        self._nodes: list[Any] = []
        self.constants: dict[str, NDArray[Any]] = {}

    def constant(self, name: str, value: Any) -> str:
        """Adds a constant array and returns its name."""
        self.constants[name] = np.asarray(value)
        return name

    def add(self, operator: str, *inputs: str, name: str = "", outputs: int = 1, **attributes: Any) -> str:
        """Adds a node with outputs NAME, NAME.1 and so on."""
        name = name or f"{operator.lower()}{len(self._nodes)}"
        names = [name, *(f"{name}.{number}" for number in range(1, outputs))]
        self._nodes.append(self._helper.make_node(operator, list(inputs), names, name=name, **attributes))
        return name

    def _used(self, result: str) -> tuple[list[Any], list[str]]:
        """The nodes, in order, and the names of the constants on which a result depends."""
        needed, nodes = {result}, []
        for node in reversed(self._nodes):
            if needed.intersection(node.output):
                needed.update(node.input)
                nodes.append(node)
        return nodes[::-1], [name for name in self.constants if name in needed]

    def content(self, given: Any, result: str, shape: list[Any], metadata: Mapping[str, str]) -> bytes:
        """The graph up to a result of float32 as a file; equal arguments give equal bytes.

        Args:
            given: the description of the input, by `helper.make_tensor_value_info`.
        """
        from onnx import TensorProto, numpy_helper

        nodes, constants = self._used(result)
        output = self._helper.make_tensor_value_info(result, TensorProto.FLOAT, shape)
        arrays = [numpy_helper.from_array(np.ascontiguousarray(self.constants[name]), name) for name in constants]
        made = self._helper.make_model(
            self._helper.make_graph(nodes, "mnist_lstm", [given], [output], arrays),
            producer_name="mnist_lstm",
            ir_version=IR_VERSION,
            opset_imports=[self._helper.make_opsetid("", OPSET)],
        )
        self._helper.set_model_props(made, dict(metadata))
        return made.SerializeToString(deterministic=True)  # type: ignore[no-any-return]
