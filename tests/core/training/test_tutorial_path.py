"""The tutorial's training in TensorFlow: its recorded path."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mnist_lstm.core.data import idx
from mnist_lstm.core.model.classifier import RecurrentClassifier, classify, new_classifier
from mnist_lstm.core.training.arithmetic import ARITHMETICS
from mnist_lstm.core.training.learner import Learner
from mnist_lstm.parameters import Parameters
from tests.core.conftest import needs_kernel

Weights = dict[str, NDArray[Any]]
in_each_precision = pytest.mark.parametrize("precision", ["float32", pytest.param("portable", marks=needs_kernel)])


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
