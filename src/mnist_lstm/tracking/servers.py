"""The two servers of MLflow, on this machine alone: its pages with the runs, and a model that answers over HTTP."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from mnist_lstm.core.model.export import REFUSAL
from mnist_lstm.errors import expect_free_port
from mnist_lstm.tracking import load_model, pages, store

HOST = "127.0.0.1"


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

    Args:
        project: the project's root.
        named: "champion", a run's id or name, or "latest".
        port: on this machine.

    Raises:
        UserError: if there is no such model, or something else uses the port.
    """
    uri = load_model.logged_model(project, named)
    expect_free_port(port)
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
    import mlflow
    import uvicorn
    from mlflow.pyfunc import scoring_server

    app = scoring_server.init(_Explained(mlflow.pyfunc.load_model(uri)))  # type: ignore[arg-type]
    click.echo(f"{uri} answers at http://{HOST}:{port}/invocations (Ctrl-C ends it)")
    uvicorn.run(app, host=HOST, port=port, log_level="warning")


class _Explained:
    """A model whose refusal of pixels is the message of the server's answer, not the end of a stack trace."""

    def __init__(self, model: Any):
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def predict(self, data: Any, params: Any = None) -> Any:
        from mlflow.exceptions import MlflowException
        from mlflow.protos.databricks_pb2 import BAD_REQUEST

        class Refusal(MlflowException):
            """Its message stays: the server would put the request's pixels before it."""

            message = property(lambda self: str(self), lambda self, value: None)

        try:
            return self._model.predict(data, params=params)
        except RuntimeError as error:
            if REFUSAL not in str(error):
                raise
            raise Refusal(f"{REFUSAL}; multiply those of 0.0 to 1.0 by 255.", BAD_REQUEST) from None
