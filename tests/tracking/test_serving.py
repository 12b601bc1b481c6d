"""MLflow's real scoring server on the champion, started outside of the project and without this package."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mnist_lstm.core.data.bundled_digits import bundled_digits
from mnist_lstm.core.model.export import REFUSAL, ImageClassifier
from mnist_lstm.core.training.checkpoint import from_bytes
from tests.support.projects import Project, free_port, surroundings, wait_for

MLFLOW = str(Path(sys.executable).with_name("mlflow"))
IMAGES = bundled_digits().test.images


def ask(port: int, path: str, body: bytes | None = None) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST" if body is not None else "GET", path, body, {"content-type": "application/json"})
        reply = connection.getresponse()
        return reply.status, reply.read().decode()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def port(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("elsewhere")
    for absent in ("mnist_lstm", "kedro", "kedro_datasets"):
        (folder / f"{absent}.py").write_text("raise ImportError('not installed here')")
    number = free_port()
    safe = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "MLFLOW_TRACKING_URI": f"sqlite:///{finished.path / 'mlflow.db'}",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    }
    command = [MLFLOW, "models", "serve", "-m", "models:/digits-lstm@champion", "--env-manager", "local"]
    with (folder / "output.txt").open("w") as output:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(number)],
            cwd=folder,
            env=surroundings() | safe,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # the server is a process below it
        )
    wait_for(lambda: process.poll() is not None or answers(number))
    assert process.poll() is None, (folder / "output.txt").read_text()
    yield number
    os.killpg(process.pid, signal.SIGTERM)
    process.wait()


def answers(port: int) -> bool:
    try:
        return ask(port, "/ping")[0] == 200
    except (OSError, HTTPException):
        return False


def predictions(port: int, images: Any) -> Any:
    status, content = ask(port, "/invocations", json.dumps({"inputs": images.tolist()}).encode())
    assert status == 200, content
    return np.array(json.loads(content)["predictions"])


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 1000])
def test_the_server_answers_as_torch_and_the_evaluation_did(port: int, finished: Project, count: int) -> None:
    chosen = np.arange(count) % len(IMAGES)
    found = predictions(port, IMAGES[chosen])
    saved = from_bytes(finished.checkpoints()[0].read_bytes(), "checkpoint")
    with torch.inference_mode():
        by_torch = ImageClassifier(saved.classifier(), saved.pixel_order()).eval()(torch.from_numpy(IMAGES)).numpy()
    np.testing.assert_allclose(found, by_torch[chosen], atol=1e-6)
    with np.load(finished.path / "data/07_model_output/predictions.npz", allow_pickle=False) as recorded:
        logits = recorded["logits"].astype(float)
    evaluated = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, evaluated[chosen], atol=1e-5)  # by the kernel, in another order of sums
    assert (found.argmax(1) == evaluated[chosen].argmax(1)).all()


@pytest.mark.slow
def test_an_invalid_pixel_is_refused_with_its_reason_and_the_server_goes_on(port: int) -> None:
    status, content = ask(port, "/invocations", json.dumps({"inputs": (IMAGES[:2] / 255).tolist()}).encode())
    assert status == 400
    assert REFUSAL in content
    assert predictions(port, IMAGES[:1]).shape == (1, 10)
