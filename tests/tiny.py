"""A tiny network and a few images, for tests that look at what a network does."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mnist_lstm.core import beliefs
from mnist_lstm.core.checkpoint import Checkpoint
from mnist_lstm.core.learner import TrainingState
from mnist_lstm.core.models import RecurrentClassifier, new_classifier
from mnist_lstm.parameters import ModelParameters, SequenceParameters

HEIGHT, WIDTH, CLASSES, HIDDEN = 6, 4, 3, 5
NAMES = ["T-shirt/top", "<b>bold</b>", "a|b"]  # long, HTML and Markdown: what a class may be called


def model(layers: int = 1) -> ModelParameters:
    return ModelParameters(
        cell="lstm",
        hidden_size=HIDDEN,
        num_layers=layers,
        dropout=0.0,
        forget_bias=1.0,
        initialization="tensorflow",
    )


def classifier(layers: int = 1) -> RecurrentClassifier:
    """Untrained, with weights large enough for its gates to move and its answers to change."""
    made = new_classifier(model(layers), WIDTH, CLASSES, seed=4)
    with torch.no_grad():
        for weight in made.recurrent.parameters():
            weight.mul_(3)
    return made.eval()


def images(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, HEIGHT, WIDTH), np.uint8)


def labels(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, CLASSES, count, np.uint8)


def checkpoint(layers: int = 1) -> Checkpoint:
    """Of `classifier`, as if it had been trained on rows."""
    weights = dict(classifier(layers).state_dict())
    state = TrainingState(12, weights, None, {}, torch.get_rng_state(), [], None, ended=True)
    identity = {
        "sequence.view": "rows",
        "model.cell": "lstm",
        "training.seed": 1,
        "training.device": "cpu",
        "training.threads": 1,
        "training.learning_rate": 0.001,
        "training.clip_norm": None,
        "data.train.sha256": "a" * 64,
    }
    about = {"name": "tiny", "title": "Tiny", "height": HEIGHT, "width": WIDTH, "class_names": NAMES}
    return Checkpoint(model(layers), SequenceParameters(view="rows"), about, identity, state, "last")


def predictions() -> dict[str, NDArray[Any]]:
    """Of 20 images, some right and some wrong."""
    with torch.inference_mode():
        logits = classifier()(torch.from_numpy(images(20)))
    return {"logits": logits.numpy(), "labels": labels(20)}


def examples() -> dict[str, NDArray[Any]]:
    """Six images with what the network believes of them."""
    shown = images(6)
    return {"images": shown, "sequences": shown, "labels": labels(6), "beliefs": beliefs.beliefs(classifier(), shown)}
