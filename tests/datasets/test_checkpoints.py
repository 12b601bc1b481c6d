import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from mnist_lstm.core.data.splits import Splits
from mnist_lstm.core.model.classifier import classify
from mnist_lstm.core.model.export import ExportedModel, ImageClassifier
from mnist_lstm.core.training.checkpoint import Checkpoint, from_file
from mnist_lstm.datasets.checkpoints import CheckpointDataset, ExportedModelDataset, InterruptedDataset
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import Parameters
from tests.conftest import Sequences
from tests.core.conftest import Trial, assert_equal
from tests.datasets.bits import refusal


@pytest.fixture
def checkpoint(small: Parameters, sequences: Sequences) -> Checkpoint:
    return Trial(small, sequences).checkpoint()


@pytest.fixture
def other(small: Parameters, sequences: Sequences) -> Checkpoint:
    return Trial(small, sequences).other(seed=2).checkpoint()


def save(folder: Path, checkpoint: Checkpoint, written: int) -> None:
    """Saves a checkpoint as if it had been written so many seconds after 1970."""
    CheckpointDataset(path=str(folder)).save(checkpoint)
    os.utime(folder / f"{checkpoint.fingerprint}.pt", (written, written))


def test_two_runs_of_different_parameters_do_not_overwrite_each_others_checkpoint(
    tmp_path: Path, checkpoint: Checkpoint, other: Checkpoint
) -> None:
    for saved in (checkpoint, other):
        CheckpointDataset(path=str(tmp_path)).save(saved)
    assert {path.stem for path in tmp_path.iterdir()} == {checkpoint.fingerprint, other.fingerprint}
    interrupted = InterruptedDataset(path=str(tmp_path)).load()
    assert_equal(interrupted[checkpoint.fingerprint](), checkpoint)
    assert_equal(interrupted[other.fingerprint](), other)


def test_a_run_loads_the_checkpoint_that_it_saved_and_once_released_the_newest(
    tmp_path: Path, checkpoint: Checkpoint, other: Checkpoint
) -> None:
    dataset = CheckpointDataset(path=str(tmp_path))
    dataset.save(checkpoint)
    save(tmp_path, other, written=2**32)
    assert dataset.load() is checkpoint
    dataset.release()
    assert dataset.load().fingerprint == other.fingerprint


def test_checkpoints_to_resume_from_come_newest_first_which_a_run_loads_that_saved_none(
    tmp_path: Path, checkpoint: Checkpoint, other: Checkpoint
) -> None:
    save(tmp_path, checkpoint, written=1)
    save(tmp_path, other, written=2)
    assert CheckpointDataset(path=str(tmp_path)).load().fingerprint == other.fingerprint
    assert list(InterruptedDataset(path=str(tmp_path)).load()) == [other.fingerprint, checkpoint.fingerprint]


def test_where_nothing_was_interrupted_there_is_nothing_to_resume(tmp_path: Path) -> None:
    dataset = InterruptedDataset(path=str(tmp_path / "none"))
    assert dataset.exists()
    assert dataset.load() == {}


def test_what_a_killed_run_left_half_written_is_no_checkpoint(tmp_path: Path, checkpoint: Checkpoint) -> None:
    save(tmp_path, checkpoint, written=1)
    (tmp_path / f".{checkpoint.fingerprint}-abc.pt").write_bytes(b"half")
    assert list(InterruptedDataset(path=str(tmp_path)).load()) == [checkpoint.fingerprint]
    assert CheckpointDataset(path=str(tmp_path)).load().fingerprint == checkpoint.fingerprint


def test_a_damaged_checkpoint_is_read_only_when_it_is_asked_for(
    tmp_path: Path, checkpoint: Checkpoint, other: Checkpoint
) -> None:
    save(tmp_path, checkpoint, written=1)
    save(tmp_path, other, written=2)
    (tmp_path / f"{other.fingerprint}.pt").write_bytes(b"hello")
    assert InterruptedDataset(path=str(tmp_path)).load()[checkpoint.fingerprint]()


@pytest.mark.parametrize("content", [b"", b"hello", "half"], ids=["empty", "another file", "half"])
def test_a_damaged_checkpoint_is_named_and_a_missing_one_by_its_folder(
    tmp_path: Path, checkpoint: Checkpoint, content: Any
) -> None:
    assert refusal(CheckpointDataset(path=str(tmp_path)).load).startswith(f"{tmp_path} must hold a checkpoint")
    save(tmp_path, checkpoint, written=1)
    path = tmp_path / f"{checkpoint.fingerprint}.pt"
    path.write_bytes(path.read_bytes()[:2000] if content == "half" else content)
    assert refusal(CheckpointDataset(path=str(tmp_path)).load).startswith(f"{path} must be a complete checkpoint")


def test_a_file_larger_than_memory_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=2**30))
    file = tmp_path / "backup.pt"
    file.touch()
    os.truncate(file, 50 * 2**30)  # of which the disk holds none
    with pytest.raises(UserError, match=r"backup\.pt must be a checkpoint that fits into memory, found 50\.0 GiB"):
        from_file(file)


def test_a_checkpoint_comes_back_as_it_was_and_its_preview_says_what_it_is(
    tmp_path: Path, checkpoint: Checkpoint
) -> None:
    dataset = CheckpointDataset(path=str(tmp_path))
    dataset.save(checkpoint)
    assert_equal(CheckpointDataset(path=str(tmp_path)).load(), checkpoint)
    preview = json.loads(dataset.preview())
    assert preview["iteration"] == checkpoint.state.iteration
    assert preview["identity"] == checkpoint.fingerprint_fields


@pytest.fixture
def classifier(checkpoint: Checkpoint) -> ImageClassifier:
    return ImageClassifier(checkpoint.classifier(), checkpoint.pixel_order())


@pytest.fixture
def exported(tmp_path: Path, classifier: ImageClassifier, splits: Splits) -> Path:
    path = tmp_path / "classifier.pt2"
    ExportedModelDataset(filepath=str(path)).save(ExportedModel(classifier, splits.test.images[:2].copy()))
    return path


def test_an_exported_model_answers_as_the_classifier_for_any_number_of_images(
    exported: Path, classifier: ImageClassifier, splits: Splits
) -> None:
    model = ExportedModelDataset(filepath=str(exported)).load()
    for count in (1, 2, 5):
        answer = model(torch.from_numpy(splits.test.images[:count])).detach().numpy()
        assert_close(answer, classify(classifier, splits.test.images[:count], count), rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(answer.sum(axis=1), 1, rtol=1e-6)


ALONE = """
import sys
import torch

def refuse(event, arguments):
    if event == "pickle.find_class":
        raise RuntimeError(f"unpickles {arguments}")

sys.addaudithook(refuse)
sys.modules.update(dict.fromkeys(["mnist_lstm", "kedro", "mlflow"]))  # an import of these fails
images = torch.arange(72, dtype=torch.uint8).reshape(3, 6, 4)
print(torch.export.load(sys.argv[1]).module()(images).argmax(1).tolist())
"""


@pytest.mark.slow
def test_an_exported_model_needs_neither_this_package_nor_pickle(exported: Path, classifier: ImageClassifier) -> None:
    command = [sys.executable, "-I", "-c", ALONE, str(exported)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    images = np.arange(72, dtype=np.uint8).reshape(3, 6, 4)
    assert json.loads(done.stdout) == classify(classifier, images, 3).argmax(1).tolist()


def test_an_exported_model_cut_short_or_with_one_wrong_bit_in_its_weights_is_named(
    exported: Path, classifier: ImageClassifier
) -> None:
    whole, weights = exported.read_bytes(), classifier.classifier.readout.weight.detach().numpy().tobytes()
    changed = bytearray(whole)
    changed[whole.index(weights)] ^= 1
    for content in (whole[:0], whole[:5], whole[:3000], whole[:-1], bytes(changed)):
        exported.write_bytes(content)
        found = refusal(ExportedModelDataset(filepath=str(exported)).load)
        assert found.startswith(f"{exported} must be a complete exported model")


def test_a_missing_exported_model_is_named_and_within_a_run_it_is_what_was_saved(
    classifier: ImageClassifier, splits: Splits, tmp_path: Path
) -> None:
    dataset = ExportedModelDataset(filepath=str(tmp_path / "classifier.pt2"))
    assert not dataset.exists()
    assert refusal(dataset.load).startswith(f"{tmp_path / 'classifier.pt2'} must exist, found no such file")
    saved = ExportedModel(classifier, splits.test.images[:2].copy())
    dataset.save(saved)
    assert dataset.load() is saved
