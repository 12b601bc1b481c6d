"""What `kedro serve` answers to requests that it refuses, and how servers say that they cannot start."""

import socket
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from mlflow.exceptions import MlflowException
from mlflow.types import Schema, TensorSpec

from mnist_lstm.core.model.export import REFUSAL, REFUSED_SERIES
from mnist_lstm.tracking.servers import Explained
from tests.support.projects import Project, mistake

SHAPE = (8, 8)


def model(predict: Any) -> Any:
    """A model of MLflow with this function."""
    schema = Schema([TensorSpec(np.dtype(np.float32), (-1, *SHAPE))])
    return Explained(SimpleNamespace(metadata=SimpleNamespace(get_input_schema=lambda: schema), predict=predict))


@pytest.mark.parametrize("shape", [(2, 28, 28), SHAPE, (0,), (), (1, 64)])
def test_the_message_about_another_shape_begins_with_the_reason(shape: tuple[int, ...]) -> None:
    served = model(lambda data, params: pytest.fail("it reached the model"))
    with pytest.raises(MlflowException) as refused:
        served.predict(np.zeros(shape, np.float32))
    refused.value.message = f"Failed to predict data '{[0.0] * 784}'"  # as the server does
    assert refused.value.message == f"inputs must be a list of N arrays, in all of shape (N, 8, 8), found shape {shape}"
    assert refused.value.get_http_status_code() == 400


@pytest.mark.parametrize(("reason", "message"), [(REFUSAL, f"^{REFUSAL}; multiply"), (REFUSED_SERIES, REFUSED_SERIES)])
def test_refused_values_get_their_reason_and_other_errors_stay(reason: str, message: str) -> None:
    def fails(data: Any, params: Any) -> None:
        raise RuntimeError(f"Runtime assertion failed: {reason}" if data.any() else "out of memory")

    with pytest.raises(MlflowException, match=message):
        model(fails).predict(np.full((1, *SHAPE), 0.5, np.float32))
    with pytest.raises(RuntimeError, match="out of memory"):
        model(fails).predict(np.zeros((1, *SHAPE), np.float32))


@pytest.mark.parametrize("command", [["serve"], ["ui"], ["site", "--serve"]])
def test_a_port_in_use_ends_a_server_in_one_line(finished: Project, command: list[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = finished.call(*command, "--port", port, *(["--model", "latest"] if command == ["serve"] else []))
    assert mistake(done) == f"port {port} must be free, found another program there; choose one by --port."
