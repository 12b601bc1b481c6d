"""The tutorial's training in TensorFlow: its recorded path, and its equations on a small problem."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.testing import assert_close

from mnist_lstm.core.data import idx
from mnist_lstm.core.model.classifier import RecurrentClassifier, classify, new_classifier
from mnist_lstm.core.training.arithmetic import ARITHMETICS
from mnist_lstm.core.training.learner import Learner
from mnist_lstm.parameters import Parameters
from tests.core.conftest import needs_kernel

Weights = dict[str, NDArray[Any]]
NAMES = ("kernel", "bias", "readout_weight", "readout_bias")
in_each_precision = pytest.mark.parametrize("precision", ["float32", pytest.param("portable", marks=needs_kernel)])


class TutorialInNumpy:
    """The tutorial's graph in float64: BasicLSTMCell (gates i, j, f, o), softmax cross-entropy, TensorFlow's Adam.

    Source: rnn_cell_impl.py and adam.py of TensorFlow 1.0; Kingma and Ba 2015, arXiv:1412.6980, end of section 2.
    """

    def __init__(self, weights: Weights, learning_rate: float):
        self.weights = {name: weights[name].astype(np.float64) for name in NAMES}
        self.moments = {name: (np.zeros_like(weight), np.zeros_like(weight)) for name, weight in self.weights.items()}
        self.learning_rate, self.updates = learning_rate, 0

    def logits(self, inputs: NDArray[Any]) -> NDArray[Any]:
        """Logits (N, K) for pixels (N, T, F) in [0, 1]; `steps` keeps what the backward pass needs."""
        hidden = cell = np.zeros((len(inputs), len(self.weights["readout_weight"])))
        self.steps = []
        for pixels in inputs.transpose(1, 0, 2):
            both, before = np.hstack([pixels, hidden]), cell
            i, j, f, o = np.split(both @ self.weights["kernel"] + self.weights["bias"], 4, axis=1)
            i, j, f, o = sigmoid(i), np.tanh(j), sigmoid(f + 1), sigmoid(o)
            cell = before * f + i * j
            hidden = np.tanh(cell) * o
            self.steps.append((both, before, cell, i, j, f, o))
        self.last = hidden
        return hidden @ self.weights["readout_weight"] + self.weights["readout_bias"]

    def update(self, inputs: NDArray[Any], labels: NDArray[Any]) -> float:
        """One update; returns the loss just before it."""
        logits, picked = self.logits(inputs), (np.arange(len(labels)), labels)
        of_logits = np.exp(logits - logits.max(axis=1, keepdims=True))
        of_logits /= of_logits.sum(axis=1, keepdims=True)
        loss = -np.log(of_logits[picked]).mean()
        of_logits[picked] -= 1
        self._adam(self._gradients(of_logits / len(labels)))
        return float(loss)

    def _gradients(self, of_logits: NDArray[Any]) -> Weights:
        kernel = self.weights["kernel"]
        of_kernel, of_bias = np.zeros_like(kernel), np.zeros_like(self.weights["bias"])
        of_hidden, of_cell = of_logits @ self.weights["readout_weight"].T, np.zeros_like(self.last)
        for both, before, cell, i, j, f, o in reversed(self.steps):
            of_cell = of_cell + of_hidden * o * (1 - np.tanh(cell) ** 2)
            of_output = of_hidden * np.tanh(cell) * o * (1 - o)
            gates = [of_cell * j * i * (1 - i), of_cell * i * (1 - j**2), of_cell * before * f * (1 - f), of_output]
            of_gates = np.hstack(gates)
            of_kernel += both.T @ of_gates
            of_bias += of_gates.sum(axis=0)
            of_hidden, of_cell = (of_gates @ kernel.T)[:, -len(of_hidden.T) :], of_cell * f
        return dict(zip(NAMES, (of_kernel, of_bias, self.last.T @ of_logits, of_logits.sum(axis=0)), strict=True))

    def _adam(self, gradients: Weights) -> None:
        self.updates += 1
        rate = self.learning_rate * np.sqrt(1 - 0.999**self.updates) / (1 - 0.9**self.updates)
        for name, gradient in gradients.items():
            mean, square = self.moments[name]
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient**2 - square)
            self.weights[name] -= rate * mean / (np.sqrt(square) + 1e-8)


def sigmoid(values: NDArray[Any]) -> NDArray[Any]:
    return 1 / (1 + np.exp(-values))  # type: ignore[no-any-return]


def as_torch(weights: Weights) -> dict[str, torch.Tensor]:
    """The trained weights of the tutorial's graph under the classifier's names and in torch's gate order i, f, g, o."""
    units = len(weights["readout_weight"])
    i, j, f, o = np.split(np.vstack([weights["kernel"], weights["bias"]]), 4, axis=1)
    gates = np.vstack([i.T, f.T, j.T, o.T])  # (4H, F + H + 1)
    named = {
        "recurrent.weight_ih_l0": gates[:, : -units - 1],
        "recurrent.weight_hh_l0": gates[:, -units - 1 : -1],
        "recurrent.bias_ih_l0": gates[:, -1],
        "readout.weight": weights["readout_weight"].T,
        "readout.bias": weights["readout_bias"],
    }
    return {name: torch.from_numpy(np.ascontiguousarray(weight, np.float32)) for name, weight in named.items()}


def as_classifier(weights: Weights, parameters: Parameters) -> RecurrentClassifier:
    units, classes = weights["readout_weight"].shape
    model = parameters.model.model_copy(update={"hidden_size": units})
    classifier = new_classifier(model, (28, len(weights["kernel"]) - units), classes, seed=1)
    missing, unexpected = classifier.load_state_dict(as_torch(weights), strict=False)
    assert (missing, unexpected) == (["recurrent.bias_hh_l0"], [])
    return classifier


@in_each_precision
def test_forty_updates_follow_the_tutorials_equations(parameters: Parameters, precision: str) -> None:
    random = np.random.default_rng(0)
    units, features, classes = 8, 5, 3
    weights = {
        "kernel": random.uniform(-0.5, 0.5, (features + units, 4 * units)),
        "bias": random.normal(0, 0.1, 4 * units),
        "readout_weight": random.normal(size=(units, classes)),
        "readout_bias": random.normal(size=classes),
    }
    weights = {name: weight.astype(np.float32) for name, weight in weights.items()}
    inputs = random.integers(0, 256, (40, 16, 6, features), np.uint8)
    labels = random.integers(0, classes, (40, 16))

    tutorial = TutorialInNumpy(weights, parameters.training.learning_rate)
    expected = [tutorial.update(*batch) for batch in zip(inputs / 255, labels, strict=True)]
    classifier = as_classifier(weights, parameters)
    losses = losses_of(classifier, parameters, precision, inputs, labels)

    np.testing.assert_allclose(losses, expected, rtol=0, atol=5e-6)
    trained = classifier.state_dict()
    for name, weight in as_torch(tutorial.weights).items():
        # torch's Adam adds epsilon to another term, which shows where a gradient is about as small
        assert_close(trained[name], weight, rtol=0, atol=3e-4)


def losses_of(
    classifier: RecurrentClassifier,
    parameters: Parameters,
    precision: str,
    inputs: NDArray[np.uint8],
    labels: NDArray[Any],
) -> list[float]:
    """The loss of each batch, (40, N, T, F) with labels (40, N), just before its update of the classifier."""
    training = parameters.training.model_copy(update={"precision": precision})
    learner = Learner(classifier, training, total=len(inputs))
    batches = zip(torch.from_numpy(inputs), torch.from_numpy(labels), strict=True)
    with ARITHMETICS[precision].layers(classifier, torch.device("cpu")):
        return [float(learner.learn(*batch, number)) for number, batch in enumerate(batches, 1)]


class Recorded:
    """The path recorded in TensorFlow, and the images of its training and evaluation."""

    def __init__(self, reference: Path, mnist: Path):
        with np.load(reference) as archive:
            self.path = dict(archive)
        images, labels = (
            idx.decode((mnist / f"{name}.gz").read_bytes(), name)
            for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
        )
        test = idx.decode((mnist / "t10k-images-idx3-ubyte.gz").read_bytes(), "t10k-images-idx3-ubyte")
        self.images = images[self.path["batch_indices"]]
        self.labels = labels[self.path["batch_indices"]].astype(np.int64)
        self.test = test[:128].copy()


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    for variable, what in (("MNIST_LSTM_TF_REFERENCE", "tutorial_tf.npz"), ("MNIST_LSTM_MNIST", "a folder of MNIST")):
        if variable not in os.environ:
            pytest.skip(f"{variable} names no {what} to compare with")
    return Recorded(Path(os.environ["MNIST_LSTM_TF_REFERENCE"]), Path(os.environ["MNIST_LSTM_MNIST"]))


@pytest.mark.slow
def test_the_networks_outputs_are_tensorflows_before_training(recorded: Recorded, parameters: Parameters) -> None:
    classifier = as_classifier(recorded.path, parameters)
    with torch.no_grad():
        outputs = classifier.outputs(torch.from_numpy(recorded.test[:8]))
    np.testing.assert_allclose(outputs, recorded.path["initial_outputs"], rtol=0, atol=1e-5)
    logits = classify(classifier, recorded.test, 128)
    np.testing.assert_allclose(logits, recorded.path["initial_logits"], rtol=0, atol=1e-5)


@pytest.mark.slow
@in_each_precision
def test_forty_updates_on_mnist_follow_tensorflows(recorded: Recorded, parameters: Parameters, precision: str) -> None:
    classifier = as_classifier(recorded.path, parameters)
    losses = losses_of(classifier, parameters, precision, recorded.images, recorded.labels)
    np.testing.assert_allclose(losses, recorded.path["losses"], rtol=0, atol=2e-4)
    logits = classify(classifier, recorded.test, 128)
    np.testing.assert_allclose(logits, recorded.path["final_logits"], rtol=0, atol=5e-3)


@pytest.mark.slow
def test_the_equations_in_numpy_follow_tensorflows_path(recorded: Recorded) -> None:
    tutorial = TutorialInNumpy(recorded.path, learning_rate=1e-3)
    losses = [tutorial.update(*batch) for batch in zip(recorded.images / 255, recorded.labels, strict=True)]
    np.testing.assert_allclose(losses, recorded.path["losses"], rtol=0, atol=2e-4)
    np.testing.assert_allclose(tutorial.logits(recorded.test / 255), recorded.path["final_logits"], rtol=0, atol=5e-3)
