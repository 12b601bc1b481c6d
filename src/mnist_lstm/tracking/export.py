"""`kedro export`: a recorded model as a file that other programs read."""

import json
from pathlib import Path

from mnist_lstm.core.model.onnx_export import to_onnx
from mnist_lstm.core.model.safetensors_export import to_safetensors
from mnist_lstm.core.training.checkpoint import Checkpoint, weights_digest
from mnist_lstm.tracking import load_model, tags


def content(project: Path, named: str, file_format: str) -> bytes:
    """The content of the file of a model, named as for `load_model.model_and_run`.

    Raises:
        UserError: if there is no such model, or it cannot be exported.
    """
    found, run_id = load_model.model_and_run(project, named)
    if file_format == "onnx":
        return onnx_file(found, run_id)
    return to_safetensors(found.weights, facts(found, run_id))


def onnx_file(found: Checkpoint, run_id: str | None) -> bytes:
    """The content of the ONNX file of a checkpoint.

    Raises:
        UserError: if it cannot be exported.
    """
    return to_onnx(found.model, found.weights, found.pixel_order(), found.data.image_shape, facts(found, run_id))


def facts(checkpoint: Checkpoint, run_id: str | None) -> dict[str, str]:
    """What the file says about the model: plain texts, lists and objects as JSON."""
    return ({"run": run_id} if run_id else {}) | {
        "model": checkpoint.label,
        "class_names": json.dumps(checkpoint.data.class_names),
        "data": checkpoint.data.title,
        "view": checkpoint.sequence.view,
        "fingerprint": checkpoint.fingerprint,
        tags.WEIGHTS: weights_digest(checkpoint.weights),
        "parameters": checkpoint.model.model_dump_json(),
    }
