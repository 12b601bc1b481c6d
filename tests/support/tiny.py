"""A tiny network and a few images, for tests that look at what a network does."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mnist_lstm.core.data.data_card import DataProfile
from mnist_lstm.core.data.sequences import pixel_order_for, to_sequences
from mnist_lstm.core.evaluation import by_step
from mnist_lstm.core.evaluation.metrics import Predictions
from mnist_lstm.core.model.classifier import RecurrentClassifier, new_classifier
from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.core.training.learner import TrainingState
from mnist_lstm.parameters import AugmentationParameters, ModelParameters
from tests.conftest import read_by

HEIGHT, WIDTH, CLASSES, HIDDEN = 6, 4, 3, 5
NAMES = ["T-shirt/top", "<b>bold</b>", "a|b"]  # long, HTML and Markdown: what a class may be called
PROFILE = DataProfile("tiny", "Tiny", HEIGHT, WIDTH, NAMES)


def model(layers: int = 1, **changes: Any) -> ModelParameters:
    base: dict[str, Any] = {"cell": "lstm", "hidden_size": HIDDEN, "num_layers": layers, "bidirectional": False}
    base |= {"pooling": "last", "gates": "plain", "zoneout": 0.0, "dropout": 0.0, "forget_bias": 1.0}
    return ModelParameters(initialization="tensorflow", **base).model_copy(update=changes)


def classifier(layers: int = 1, features: int = WIDTH, **changes: Any) -> RecurrentClassifier:
    """Untrained, with weights large enough for its gates to move and its answers to change."""
    made = new_classifier(model(layers, **changes), (HEIGHT, features), CLASSES, seed=4)
    with torch.no_grad():
        for weight in made.recurrent.parameters():
            weight.mul_(3)
        if made.model.pooling == "attention":
            made.attention.weight.normal_(generator=torch.Generator().manual_seed(2))
    return made.eval()


def images(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, HEIGHT, WIDTH), np.uint8)


def labels(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, CLASSES, count, np.uint8)


def probabilities(classifier: RecurrentClassifier, sequences: NDArray[Any]) -> NDArray[Any]:
    """By torch itself, for all that compute them otherwise."""
    with torch.inference_mode():
        return torch.softmax(classifier(torch.from_numpy(sequences)), dim=1).numpy()


def checkpoint(layers: int = 1, **changes: Any) -> Checkpoint:
    """Of `classifier`, as if it had been trained on rows."""
    weights = dict(classifier(layers, **changes).state_dict())
    state = TrainingState(12, weights, None, {}, torch.get_rng_state(), [], None, ended=True)
    fingerprint_fields = {
        "sequence.view": "rows",
        "model.cell": "lstm",
        "training.seed": 1,
        "training.device": "cpu",
        "training.threads": 1,
        "training.learning_rate": 0.001,
        "training.clip_norm": None,
        "training.label_smoothing": 0.0,
        "training.ema_decay": 0.0,
        "training.precision": "float32",
        **{
            f"training.augmentation.{key}": 4.0 * (key == "elastic_sigma")
            for key in AugmentationParameters.model_fields
        },
        "data.train.sha256": "a" * 64,
    }
    return Checkpoint(model(layers, **changes), read_by("rows"), PROFILE, fingerprint_fields, state, "last")


def predictions() -> Predictions:
    """Of 20 images, some right and some wrong."""
    with torch.inference_mode():
        logits = classifier()(torch.from_numpy(images(20)))
    return Predictions(logits.numpy(), labels(20))


def examples(view: str = "rows", layers: int = 1, **changes: Any) -> dict[str, NDArray[Any]]:
    """Six images with what the network believes of them."""
    shown, pixel_order = images(6), pixel_order_for(read_by(view), HEIGHT, WIDTH)
    read = to_sequences(shown, pixel_order)
    believed = by_step.class_probabilities_by_step(classifier(layers, pixel_order.shape[1], **changes), read)
    return {"images": shown, "sequences": read, "labels": labels(6), "beliefs": believed, "order": pixel_order}
