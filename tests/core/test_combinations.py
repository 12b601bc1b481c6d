"""Every two choices of view, cell, directions, layers and pooling, from training to the exported file and back."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mnist_lstm.core.data.sequences import VIEWS, pixel_order_for, sequence_split, to_sequences
from mnist_lstm.core.data.splits import Splits
from mnist_lstm.core.model.classifier import CELLS, classify, new_classifier
from mnist_lstm.core.model.export import ExportedModel, ImageClassifier
from mnist_lstm.core.model.pooling import POOLINGS
from mnist_lstm.core.training.checkpoint import Checkpoint, from_bytes, to_bytes
from mnist_lstm.core.training.fingerprint import training_fingerprint_fields
from mnist_lstm.core.training.loop import fit
from mnist_lstm.datasets.checkpoints import ExportedModelDataset
from mnist_lstm.parameters import Parameters
from tests.conftest import read_by

CHOICES: dict[str, list[Any]] = {
    "view": list(VIEWS),
    "cell": list(CELLS),
    "bidirectional": [False, True],
    "num_layers": [1, 2],
    "pooling": list(POOLINGS),
}


def pairwise(choices: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Few combinations in which every value of a choice meets every value of every other."""
    every = [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]
    pairs = {repr(each): set(itertools.combinations(each.items(), 2)) for each in every}
    missing, found = set().union(*pairs.values()), []
    while missing:
        best = max(every, key=lambda each: len(pairs[repr(each)] & missing))
        missing -= pairs[repr(best)]
        found.append(best)
    return found


COMBINATIONS = pairwise(CHOICES)
STEPWISE: dict[str, Any] = {"view": "rows", "cell": "lstm", "bidirectional": True, "num_layers": 2, "pooling": "mean"}
STEPWISE |= {"gates": "refined", "forget_bias": 0.0, "zoneout": 0.2}
FIRST_OF_A_VIEW = {each["view"]: each for each in reversed(COMBINATIONS)}.values()
# one export of each view in `make test`, as each takes a second
EXPORTED = [pytest.param(each, marks=[] if each in FIRST_OF_A_VIEW else [pytest.mark.slow]) for each in COMBINATIONS]
EXPORTED.append(pytest.param(STEPWISE))


def trained(small: Parameters, splits: Splits, combination: dict[str, Any]) -> Checkpoint:
    """After three updates."""
    view, network = combination["view"], {key: value for key, value in combination.items() if key != "view"}
    model = small.model.model_copy(update=network | {"hidden_size": 3})
    training = small.training.model_copy(update={"iterations": 3})
    pixel_order = pixel_order_for(read_by(view), 6, 4)
    train, valid = (sequence_split(part, pixel_order) for part in (splits.train, splits.valid))
    *_, report = fit(new_classifier(model, pixel_order.shape, 3, seed=1), train, valid, training, (6, 4))
    fields = training_fingerprint_fields(read_by(view), model, training, train, valid)
    return Checkpoint(model, read_by(view), splits.card.profile, fields, report.state(), "last")


def answers(checkpoint: Checkpoint, images: Any) -> Any:
    """Class probabilities by the classifier of sequences."""
    sequences = to_sequences(images, checkpoint.pixel_order())
    return torch.softmax(torch.from_numpy(classify(checkpoint.classifier(), sequences, 21)), dim=1).numpy()


@pytest.mark.parametrize("combination", [*COMBINATIONS, STEPWISE])
def test_a_combination_trains_and_a_checkpoint_of_it_predicts_from_raw_images(
    small: Parameters, splits: Splits, combination: dict[str, Any]
) -> None:
    checkpoint, images = trained(small, splits, combination), splits.test.images
    first = new_classifier(checkpoint.model, checkpoint.pixel_order().shape, 3, seed=1).state_dict()
    for name in ("recurrent.weight_hh_l0", "readout.weight"):
        assert (checkpoint.weights[name] != first[name]).any()
    restored = from_bytes(to_bytes(checkpoint), "a checkpoint")
    found = classify(ImageClassifier(restored.classifier(), restored.pixel_order()), images, 21)
    np.testing.assert_allclose(found, answers(checkpoint, images), atol=1e-6)


@pytest.mark.parametrize("combination", EXPORTED)
def test_a_combination_is_exported_and_predicts_the_same(
    tmp_path: Path, small: Parameters, splits: Splits, combination: dict[str, Any]
) -> None:
    checkpoint = trained(small, splits, combination)
    exported = ImageClassifier(checkpoint.classifier(), checkpoint.pixel_order())
    file = str(tmp_path / "classifier.pt2")
    ExportedModelDataset(filepath=file).save(ExportedModel(exported, splits.valid.images[:2].copy()))
    loaded = ExportedModelDataset(filepath=file).load()
    for images in (splits.test.images, splits.test.images[:1]):
        found = loaded(torch.from_numpy(images)).detach().numpy()
        np.testing.assert_allclose(found, answers(checkpoint, images), atol=1e-6)
