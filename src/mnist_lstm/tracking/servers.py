"""The two servers of MLflow, on this machine alone: its pages with the runs, and a model that answers over HTTP."""

import os
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np

from mnist_lstm.core.model.export import REFUSAL, REFUSED_SERIES
from mnist_lstm.errors import expect_free_port
from mnist_lstm.tracking import load_model, pages, store

HOST = "127.0.0.1"
# What a model asserts of its input, and what helps
ADVICE = {REFUSAL: "; multiply those of 0.0 to 1.0 by 255", REFUSED_SERIES: ""}


def show_runs(project: Path, port: int) -> None:
    """Replaces this process by MLflow's pages, after it has printed the address of the runs.

    Raises:
        UserError: if the store cannot be used, or something else uses the port.
    """
    client, uri, experiment, _ = store.opened(project)
    address = pages.runs_page(uri, store.experiment_id(client, experiment, project, uri), port)
    click.echo(f"Runs: {address}")
    if pages.has_server(uri):
        return
    expect_free_port(port)
    click.echo("Ctrl-C ends it.")
    options = ["--backend-store-uri", uri, "--host", HOST, "--port", str(port), "--workers", "1"]
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "server", *options])  # noqa: S606 - no shell is wanted


def serve_model(project: Path, named: str, port: int) -> None:
    """Serves a model by MLflow's scoring server until Ctrl-C.

    Raises:
        UserError: if there is no such model, or something else uses the port.
    """
    uri = load_model.logged_model(project, named)
    expect_free_port(port)
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
    import mlflow
    import uvicorn
    from mlflow.pyfunc import scoring_server

    app = scoring_server.init(Explained(mlflow.pyfunc.load_model(uri)))  # type: ignore[arg-type]
    click.echo(f"{uri} answers at http://{HOST}:{port}/invocations (Ctrl-C ends it)")
    uvicorn.run(app, host=HOST, port=port, log_level="warning")


class Explained:
    """A model that refuses a request with the reason as the message, where MLflow puts the request's pixels first."""

    def __init__(self, model: Any):
        self._model = model
        self._shape = tuple(model.metadata.get_input_schema().inputs[0].shape[1:])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def predict(self, data: Any, params: Any = None) -> Any:
        """Class probabilities.

        Raises:
            MlflowException: for other shapes and pixels; status 400.
        """
        found = np.shape(data)
        if found[1:] != self._shape:
            wanted = ", ".join(map(str, self._shape))
            raise _refusal(f"inputs must be a list of N arrays, in all of shape (N, {wanted}), found shape {found}")
        try:
            return self._model.predict(data, params=params)
        except RuntimeError as error:
            for reason, advice in ADVICE.items():
                if reason in str(error):
                    raise _refusal(f"{reason}{advice}.") from None
            raise


def _refusal(reason: str) -> Exception:
    """An error whose message stays: the server would put the request's pixels before it."""
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import BAD_REQUEST

    class Refusal(MlflowException):
        message = property(lambda self: str(self), lambda self, value: None)

    return Refusal(reason, BAD_REQUEST)
