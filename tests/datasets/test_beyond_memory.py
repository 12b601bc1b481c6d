"""Data that are larger than memory: the most that the process holds of them, and the bits of a run on them."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from mnist_lstm.core.data import file_backed
from mnist_lstm.core.data.choose_split import validation
from mnist_lstm.core.data.sequences import pixel_order_for, sequence_split
from mnist_lstm.core.data.splits import ImageSplit, digest
from mnist_lstm.core.model.classifier import new_classifier
from mnist_lstm.core.training.loop import fit
from mnist_lstm.datasets.file_backed import array_in
from mnist_lstm.datasets.npz import NpzDataset, SequencesDataset
from mnist_lstm.parameters import Parameters
from tests.support.projects import Project

pytestmark = pytest.mark.slow

IMAGES, SIDE = 400_000, 28  # 299 MiB
CHANGES = {"iterations": 20, "validate_every": 10, "batch_size": 64, "shuffle_block": 500, "precision": "float32"}


def resident(field: str) -> int:
    """Bytes of this process in memory: VmRSS now, VmHWM the most since the peak was reset."""
    (kilobytes,) = re.findall(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(kilobytes) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux resets the peak of a process")
@pytest.mark.parametrize("stored", [True, False], ids=["in their file", "in memory"])
def test_what_is_larger_than_memory_is_read_saved_and_trained_on_in_parts(
    tmp_path: Path, parameters: Parameters, monkeypatch: pytest.MonkeyPatch, stored: bool
) -> None:
    monkeypatch.setattr(file_backed, "IN_MEMORY", 2**20 if stored else 2**40)
    training, model = parameters.training.model_copy(update=CHANGES), parameters.model
    place, dataset = tmp_path / "images", SequencesDataset(filepath=str(tmp_path / "sequences.npz"))
    with place.open("wb") as file:
        file.write(bytes([0, 0, 8, 3]) + np.array([IMAGES, SIDE, SIDE], ">u4").tobytes())
        file.truncate(16 + IMAGES * SIDE**2)  # a hole, which takes no room on the disk
    labels = np.arange(IMAGES, dtype=np.uint8) % 10
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = resident("VmRSS")

    parts = validation(ImageSplit(array_in(place), labels), 500, "first", "it", 0)[:2]
    pixel_order = pixel_order_for(parameters.sequence, SIDE, SIDE)
    valid, train = (sequence_split(part, pixel_order) for part in parts)
    expected = digest(train.arrays())
    dataset.save(train)
    dataset.release()
    train = dataset.load()
    assert digest(train.arrays()) == expected
    *_, last = fit(new_classifier(model, pixel_order.shape, 10, seed=1), train, valid, training, (SIDE, SIDE))
    assert last.update == 20
    assert (resident("VmHWM") - before < train.sequences.nbytes / 2) is stored
    for path in (place, tmp_path / "sequences.npz"):
        path.unlink()  # pytest would keep them


def test_a_run_on_stored_pixels_has_the_bits_of_one_in_memory(
    finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = finished.copied_to(tmp_path)
    monkeypatch.setattr(file_backed, "IN_MEMORY", 0)
    done = project.invoke("--params", "data.name=digits", "--from-nodes", "reshape")
    assert done.exit_code == 0, done.output
    for name in ("05_model_input/train_sequences", "07_model_output/predictions", "07_model_output/belief_examples"):
        one, other = (NpzDataset(filepath=str(each.path / f"data/{name}.npz")).load() for each in (project, finished))
        assert digest(one) == digest(other)
