"""Trainings of the small data set that take a hundredth of a second."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from mnist_lstm.core.kernel.library import has_bfloat16, library
from mnist_lstm.core.model.classifier import RecurrentClassifier, new_classifier
from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.core.training.fingerprint import training_fingerprint_fields
from mnist_lstm.core.training.instructions import multiplies_bfloat16
from mnist_lstm.core.training.learner import TrainingState
from mnist_lstm.core.training.loop import Report, fit
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import AugmentationParameters, Parameters
from tests.conftest import Sequences

MOVED = AugmentationParameters(
    rotation=10, scale=0.1, shear=0.1, shift=1.0, elastic=0.5, elastic_sigma=2.0, pixel_dropout=0
)
BFLOAT16 = multiplies_bfloat16(torch.device("cpu"))
needs_bfloat16 = pytest.mark.skipif(not BFLOAT16, reason="this processor does not multiply in bfloat16")
# ways to train, each of which has something to get wrong when a run is repeated or resumed
WAYS: dict[str, dict[str, Any]] = {
    "adamw": {"optimizer": "adamw", "weight_decay": 0.1},
    "sgd": {"optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.1},
    "cosine": {"schedule": "cosine", "warmup": 3},
    "one cycle": {"schedule": "one_cycle"},
    "clipping": {"clip_norm": 0.1},
    "label smoothing": {"label_smoothing": 0.1},
    "averaging": {"ema_decay": 0.9},
    "augmentation": {"augmentation": MOVED},
}
if BFLOAT16:
    WAYS["bfloat16"] = {"precision": "bfloat16"}
WAYS["all at once"] = {key: value for way in reversed(WAYS.values()) for key, value in way.items()}
try:
    library()
except UserError:
    KERNEL = False
else:
    KERNEL = True
    WAYS["portable"] = {"precision": "portable"}
if KERNEL and has_bfloat16():
    WAYS["bfloat16_kernel"] = {"precision": "bfloat16_kernel"}
needs_bfloat16_kernel = pytest.mark.skipif("bfloat16_kernel" not in WAYS, reason="needs the kernel and AVX-512 BF16")
needs_kernel = pytest.mark.skipif(not KERNEL, reason="the kernel is not built: pip install -e . builds it")
SIZE = (6, 4)  # height and width of the small data set's images


class Trial:
    """Trains on the small data set, each time from the same initial weights."""

    def __init__(self, parameters: Parameters, data: Sequences):
        self.parameters, self.data = parameters, data

    def other(self, model: dict[str, Any] | None = None, **training: Any) -> "Trial":
        """The same data with other parameters of the model and of the training."""
        changed: dict[str, Any] = {"model": self.parameters.model.model_copy(update=model or {})}
        changed["training"] = self.parameters.training.model_copy(update=training)
        return Trial(self.parameters.model_copy(update=changed), self.data)

    def classifier(self) -> RecurrentClassifier:
        return new_classifier(self.parameters.model, shape=SIZE, classes=3, seed=1)

    def reports(self, state: TrainingState | None = None, **changes: Any) -> Iterator[Report]:
        """Of a run from the beginning or from a state, with other training parameters where `changes` says so."""
        training = self.parameters.training.model_copy(update=changes)
        return fit(self.classifier(), self.data.train, self.data.valid, training, SIZE, state)

    def states(self, state: TrainingState | None = None, **changes: Any) -> list[TrainingState]:
        """The state at each report."""
        return [report.state() for report in self.reports(state, **changes)]

    def fingerprint_fields(self) -> dict[str, Any]:
        of = self.parameters
        return training_fingerprint_fields(of.sequence, of.model, of.training, self.data.train, self.data.valid)

    def checkpoint(self, report: int = -1, state: TrainingState | None = None, keep: str = "last") -> Checkpoint:
        """The checkpoint of a report, by default the last."""
        of = self.parameters
        fields, found = self.fingerprint_fields(), self.states(state)[report]
        return Checkpoint(of.model, of.sequence, self.data.card.profile, fields, found, keep)


@pytest.fixture
def trial(small: Parameters, sequences: Sequences) -> Trial:
    return Trial(small, sequences)


def assert_equal(one: Checkpoint, other: Checkpoint) -> None:
    """Every field equal, and every tensor to the bit."""
    for field in ("model", "sequence", "data", "fingerprint_fields", "keep"):
        assert getattr(one, field) == getattr(other, field)
    assert_same_bits(one.state, other.state)


def assert_same_bits(one: TrainingState, other: TrainingState) -> None:
    assert_close(asdict(one), asdict(other), rtol=0, atol=0, equal_nan=True)
