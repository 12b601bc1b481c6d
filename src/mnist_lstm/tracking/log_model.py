"""The exported model as an MLflow model: pt2, signed, with an example, without pickle and without this package."""

import logging
import re
import warnings
from contextlib import suppress
from typing import Any

import numpy as np
import torch

from mnist_lstm.core.model.classifier import classify
from mnist_lstm.core.model.export import ExportedModel, ServedClassifier
from mnist_lstm.core.model.tracing import shapes_of_complete_layers

FLOAT = np.dtype(np.float32)
SOURCE = ("mlflow.user", "mlflow.source.name", "mlflow.source.type")  # tags of the run that its model has, too
FORBIDDEN = re.compile(r"[/:.%\"']")  # in the name of a logged model


def log_model(client: Any, exported: ExportedModel, run_id: str, name: str) -> str:
    """Logs the classifier of raw images to a run under a name, and returns the model's id.

    What could not be logged to its end is deleted, so that no half of a model stays with the run.

    Its input has no name: MLflow's scoring server would hand a named one to torch as a dictionary, and fail.
    """
    import mlflow
    from mlflow.models import Model, ModelSignature
    from mlflow.types import Schema, TensorSpec

    images = exported.examples
    probabilities = classify(exported.classifier, images, len(images))
    signature = ModelSignature(
        Schema([TensorSpec(FLOAT, (-1, *images.shape[1:]))]),
        Schema([TensorSpec(FLOAT, (-1, *probabilities.shape[1:]))]),
    )
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    run = client.get_run(run_id)
    # Not through an active run, as a notebook may have another one open
    model = client.create_logged_model(
        run.info.experiment_id,
        FORBIDDEN.sub("-", name),
        source_run_id=run_id,
        tags={key: run.data.tags[key] for key in SOURCE if key in run.data.tags},
        params=run.data.params,
    )
    with warnings.catch_warnings(), torch.no_grad(), shapes_of_complete_layers():
        warnings.filterwarnings("ignore", "The tensor attributes .*_flat_weights", UserWarning)
        try:
            Model.log(
                None,
                mlflow.pytorch,
                run_id=run_id,
                model_id=model.model_id,
                pytorch_model=ServedClassifier(exported.classifier).eval(),
                signature=signature,
                input_example=images.astype(FLOAT),
                pip_requirements=[f"torch=={torch.__version__.partition('+')[0]}", f"numpy=={np.__version__}"],
                serialization_format="pt2",
            )
        except Exception:
            with suppress(Exception):  # of MLflow that fails again; the first error tells why
                client.delete_logged_model(model.model_id)
            raise
    return str(model.model_id)
