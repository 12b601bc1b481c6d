"""A few snapshots of the weights during training, to show how the network learned."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mnist_lstm.core.model.classifier import RecurrentClassifier
from mnist_lstm.core.training.loop import Report

MOST = 7  # before the end of training: with the usual 799 updates at about 0, 10, 21, 43, 89, 185 and 385
EARLIEST = 10  # update of the second snapshot
MOST_BYTES = 1_200_000  # of all snapshots; a larger network has fewer of them, or none
TRAINING = "fingerprint "  # begins the name of the array that says which training it was


@dataclass(frozen=True, eq=False)
class Snapshots:
    """Weights that would have classified at some updates of one training."""

    fingerprint: str  # of the training
    weights: dict[int, NDArray[np.float16]]  # float16 (P,) by update: all weights in the order of `flat`

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays under their names in files."""
        named: dict[str, NDArray[Any]] = {str(update): flat for update, flat in self.weights.items()}
        return named | {f"{TRAINING}{self.fingerprint}": np.empty(0, np.float16)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """The inverse of `arrays`."""
        (fingerprint,) = (name.removeprefix(TRAINING) for name in arrays if name.startswith(TRAINING))
        return cls(fingerprint, {int(name): arrays[name] for name in arrays if not name.startswith(TRAINING)})

    def holds_no_more_than(self, other: object) -> bool:
        """Whether the other are snapshots of the same training, and have all of these."""
        if not isinstance(other, Snapshots) or other.fingerprint != self.fingerprint:
            return False
        return self.weights.keys() <= other.weights.keys()

    def continuing(self, earlier: "Snapshots") -> "Snapshots":
        """With those that an interrupted training left before this one continued it."""
        if 0 in self.weights or earlier.fingerprint != self.fingerprint:
            return self
        return Snapshots(self.fingerprint, dict(sorted((earlier.weights | self.weights).items())))


def flat(weights: Mapping[str, Tensor]) -> NDArray[np.float32]:
    """A state dict in one array (P,): each layer and direction (input, hidden, biases), attention, readout."""
    return np.concatenate([tensor.detach().cpu().float().numpy().ravel() for tensor in weights.values()])


class SnapshotTaker:
    """Copies the weights at a few updates; this changes nothing of the training.

    Args:
        start: updates that an interrupted training did; the snapshots before are not taken again.
    """

    def __init__(self, classifier: RecurrentClassifier, total: int, start: int):
        initial = flat(classifier.state_dict())
        updates = [0, *np.geomspace(EARLIEST, max(total, EARLIEST + 1), MOST).round().astype(int)[:-1].tolist()]
        room = min(MOST, MOST_BYTES // (2 * len(initial)))
        self._wanted = [update for update in _spread(updates, room) if update > start]
        self.weights = {} if start or not room else {0: half(initial)}

    def watched(self, reports: Iterable[Report]) -> Iterator[Report]:
        """The same reports; at the first one at or after each wanted update, a snapshot is taken."""
        for report in reports:
            if self._wanted and report.update >= self._wanted[0]:
                self._wanted = [update for update in self._wanted if update > report.update]
                self.weights[report.update] = half(flat(report.state().classifying))
            yield report


def half(weights: NDArray[np.float32]) -> NDArray[np.float16]:
    """The weights in half precision; those of a training that diverges may be larger than it can hold."""
    largest = np.finfo(np.float16).max
    return np.clip(weights, -largest, largest).astype(np.float16)


def _spread(updates: list[int], count: int) -> list[int]:
    """At most `count` of the updates, evenly spread, with the first."""
    return [updates[at] for at in np.linspace(0, len(updates) - 1, count).round().astype(int)] if count else []
