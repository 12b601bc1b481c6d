"""A data set ten times larger than the memory that is left, under a limit of the kernel's."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mnist_lstm.core.data import file_backed
from mnist_lstm.core.data.splits import digest
from mnist_lstm.datasets.npz import NpzDataset
from tests.support.projects import REPOSITORY, Project, surroundings

SCRIPT = REPOSITORY / "tests/support/training_beyond_memory.py"
NEEDED = 3 * 2**30  # bytes of disk

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's data"),
]


def trained(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    if shutil.disk_usage(folder).free < NEEDED:
        pytest.skip("the disk is too small")
    command = [sys.executable, str(SCRIPT), str(folder), *words]
    try:
        return subprocess.run(command, cwd=REPOSITORY, env=surroundings(), capture_output=True, text=True, timeout=300)
    finally:
        for path in folder.glob("*"):
            path.unlink()  # pytest would keep them


def test_data_ten_times_larger_than_memory_are_read_saved_and_trained_on(tmp_path: Path) -> None:
    done = trained(tmp_path)
    assert done.stdout.split() == ["20", "10"], done.stderr


def test_the_same_in_memory_does_not_fit(tmp_path: Path) -> None:
    done = trained(tmp_path, "in_memory")
    assert done.returncode != 0
    assert "MemoryError" in done.stderr


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
