"""What every contender gets, and what it prints at the end: one line of JSON.

All train the same network (an LSTM over the rows, a readout of its last output) with Adam at 0.001 on the same images
in memory, and read the loss at every tenth update, as the tutorial did.
"""

import argparse
import gzip
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

VALIDATION_IMAGES, CLASSES, LEARNING_RATE, LOG_EVERY = 5000, 10, 0.001, 10
WARM = 20  # updates after which the rate is measured
Images = NDArray[np.uint8]
Labels = NDArray[np.uint8]


class Race:
    """The settings of one race, and its clock.

    Attributes:
        updates, hidden, batch: counts.
        steps: 28 reads rows of 28 pixels, 784 single pixels.
        count: of training images; beyond MNIST's own they come again.
    """

    def __init__(self) -> None:
        parser = argparse.ArgumentParser()
        parser.add_argument("folder", type=Path)
        for name, value in (("updates", 799), ("hidden", 128), ("batch", 128), ("steps", 28), ("images", 55000)):
            parser.add_argument(f"--{name}", type=int, default=value)
        parser.add_argument("--precision", default="float32")
        given = parser.parse_args()
        self.folder, self.precision = given.folder, given.precision
        self.updates: int = given.updates
        self.hidden: int = given.hidden
        self.batch: int = given.batch
        self.steps: int = given.steps
        self.count: int = given.images
        self._marks: list[tuple[int, float, float]] = []

    @property
    def features(self) -> int:
        """Pixels of a step."""
        return 784 // self.steps

    def images(self) -> tuple[tuple[Images, Labels], tuple[Images, Labels]]:
        """Training and validation: sequences uint8 (N, T, F) and labels (N,)."""
        pixels = _idx(self.folder / "train-images-idx3-ubyte.gz", 16).reshape(-1, self.steps, self.features)
        labels = _idx(self.folder / "train-labels-idx1-ubyte.gz", 8)
        cut = VALIDATION_IMAGES
        train, valid = (pixels[cut:], labels[cut:]), (pixels[:cut], labels[:cut])
        if self.count != len(train[0]):
            chosen = np.arange(self.count) % len(train[0])
            train = train[0][chosen], train[1][chosen]
        return train, valid

    def read_loss(self, update: int, loss: float) -> None:
        """Notes the time at which the loss of an update was known."""
        self._marks.append((update, time.time(), float(loss)))

    def finish(self, validation_accuracy: float) -> None:
        """Tells how it went."""
        (first, first_time, _), (last, last_time, loss) = (
            min((mark for mark in self._marks if mark[0] >= WARM), default=self._marks[0]),
            max(mark for mark in self._marks if mark[0] < self.updates),
        )
        result: dict[str, Any] = {
            "updates_a_second": (last - first) / (last_time - first_time),
            "first_loss_at": self._marks[0][1],
            "last_loss": loss,
            "validation_accuracy": float(validation_accuracy),
        }
        print(json.dumps(result))


def scaled(images: Images) -> NDArray[np.float32]:
    """Pixels in [0, 1]."""
    return np.divide(images, 255, dtype=np.float32)


def _idx(path: Path, header: int) -> NDArray[np.uint8]:
    return np.frombuffer(bytearray(gzip.decompress(path.read_bytes())), np.uint8, offset=header)
