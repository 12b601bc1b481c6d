"""The weights as a safetensors file: names, shapes and raw values, readable without torch."""

import json
from collections.abc import Mapping

import numpy as np
from torch import Tensor

DTYPES = {"float64": "F64", "float32": "F32", "int64": "I64", "uint8": "U8"}  # numpy's name to the format's
ALIGNMENT = 8  # bytes, of the header


def to_safetensors(weights: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """The content of the file; equal arguments give equal bytes.

    Source: https://github.com/huggingface/safetensors#format.
    """
    arrays = {name: np.ascontiguousarray(weights[name].detach().cpu().numpy()) for name in sorted(weights)}
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    end = 0
    for name, array in arrays.items():
        start, end = end, end + array.nbytes
        header[name] = {"dtype": DTYPES[array.dtype.name], "shape": array.shape, "data_offsets": [start, end]}
    content = json.dumps(header).encode()
    content += b" " * (-len(content) % ALIGNMENT)
    return len(content).to_bytes(8, "little") + content + b"".join(array.tobytes() for array in arrays.values())
