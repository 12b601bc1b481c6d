"""The exported model as an MLflow model: pt2, signed, with an example, without pickle and without this package."""

import logging
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from mnist_lstm.core.model.classifier import classify
from mnist_lstm.core.model.export import ExportedModel, ServedClassifier
from mnist_lstm.core.model.tracing import shapes_of_complete_layers

FLOAT = np.dtype(np.float32)
FORBIDDEN = re.compile(r"[/:.%\"']")  # in the name of a logged model


def log_model(exported: ExportedModel, run_id: str, name: str) -> str:
    """Logs the classifier of raw images to a run under a name, and returns the model's id.

    Its input has no name: MLflow's scoring server would hand a named one to torch as a dictionary, and fail.
    """
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    images = exported.examples
    probabilities = classify(exported.classifier, images, len(images))
    signature = ModelSignature(
        Schema([TensorSpec(FLOAT, (-1, *images.shape[1:]))]),
        Schema([TensorSpec(FLOAT, (-1, *probabilities.shape[1:]))]),
    )
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    with (
        warnings.catch_warnings(),
        _without_ipython(),
        mlflow.start_run(run_id=run_id),
        torch.no_grad(),
        shapes_of_complete_layers(),
    ):
        warnings.filterwarnings("ignore", "The tensor attributes .*_flat_weights", UserWarning)
        info = mlflow.pytorch.log_model(
            ServedClassifier(exported.classifier).eval(),
            name=FORBIDDEN.sub("-", name),
            signature=signature,
            input_example=images.astype(FLOAT),
            pip_requirements=[f"torch=={torch.__version__.partition('+')[0]}", f"numpy=={np.__version__}"],
            serialization_format="pt2",
        )
    return str(info.model_id)


@contextmanager
def _without_ipython() -> Iterator[None]:
    """MLflow imports IPython to ask whether it runs in there: half a second and 20 MB for a No, unless it does."""
    if "IPython" in sys.modules:
        yield
        return
    sys.modules["IPython"] = None  # type: ignore[assignment]  # its import fails, as if it were not installed
    try:
        yield
    finally:
        sys.modules.pop("IPython", None)
