"""Reads, digests, reshapes, saves and trains on a data set ten times larger than the memory that is left.

    python training_beyond_memory.py FOLDER [in_memory]

The room is a limit on the process's data, set once all is imported and one update made; with `in_memory` the same is
tried as numpy arrays.
"""

import resource
import sys
from pathlib import Path

import numpy as np
import torch
import yaml

from mnist_lstm.core.data import file_backed, idx
from mnist_lstm.core.data.sequences import pixel_order_for, sequence_split
from mnist_lstm.core.data.splits import digest, first_images, images_and_labels
from mnist_lstm.core.model.classifier import new_classifier
from mnist_lstm.core.training.learner import Learner
from mnist_lstm.core.training.loop import fit
from mnist_lstm.datasets.file_backed import array_in
from mnist_lstm.datasets.npz import SequencesDataset
from mnist_lstm.parameters import ModelParameters, TrainingParameters, checked

PARAMETERS = Path(__file__).parents[2] / "conf" / "base" / "parameters.yml"
ROOM = 128 * 2**20  # bytes; glibc alone keeps 64 MiB ready for training
IMAGES, SIDE = 11 * ROOM // 28**2, 28
CHANGES = {
    "iterations": 20,
    "validate_every": 10,
    "threads": 1,
    "batch_size": 64,
    "shuffle_block": 500,
    "precision": "float32",
}


def main(folder: str, *words: str) -> None:
    torch.set_num_threads(1)
    place = write_images(Path(folder))
    parameters = checked(yaml.safe_load(PARAMETERS.read_text()))
    training = parameters.training.model_copy(update=CHANGES)
    model = parameters.model.model_copy(update={"hidden_size": 8})
    file_backed.IN_MEMORY, idx.MAX_BYTES = (2**40, 2**40) if "in_memory" in words else (ROOM // 10, idx.MAX_BYTES)
    warm_up(model, training)
    limit = data_bytes() + ROOM
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    whole = images_and_labels(array_in(place), np.arange(IMAGES, dtype=np.uint8) % 10, 10, "it")
    parts = first_images(whole, 500, "it")
    pixel_order = pixel_order_for(parameters.sequence, SIDE, SIDE)
    valid, train = (sequence_split(part, pixel_order) for part in parts)
    dataset, before = SequencesDataset(filepath=f"{folder}/sequences.npz"), digest(train.arrays())
    dataset.save(train)
    dataset.release()
    train = dataset.load()
    assert digest(train.arrays()) == before
    *_, last = fit(new_classifier(model, pixel_order.shape, 10, seed=1), train, valid, training, (SIDE, SIDE))
    print(last.update, train.sequences.nbytes // ROOM)  # noqa: T201


def write_images(folder: Path) -> Path:
    """An IDX file that is mostly a hole: it has all the bytes, and takes little of the disk."""
    path = folder / "images"
    noise = np.random.default_rng(0).integers(0, 256, (1000, SIDE, SIDE), np.uint8)
    with path.open("wb") as file:
        file.write(bytes([0, 0, 8, 3]) + np.array([IMAGES, SIDE, SIDE], ">u4").tobytes() + noise.tobytes())
        file.truncate(16 + IMAGES * SIDE**2)
    return path


def warm_up(model: ModelParameters, training: TrainingParameters) -> None:
    """Makes an update, at the first of which torch imports and sets up more."""
    learner = Learner(new_classifier(model, (SIDE, SIDE), 10, seed=1), training, 20)
    learner.learn(torch.zeros(64, SIDE, SIDE, dtype=torch.uint8), torch.zeros(64, dtype=torch.int64), 1)


def data_bytes() -> int:
    """What counts against the limit now."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmData"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
