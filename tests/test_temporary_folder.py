import os
import subprocess
import sys
from pathlib import Path

import pytest

from mnist_lstm.temporary_folder import temporary_folder

HOLD = """
import sys
from pathlib import Path

from mnist_lstm.temporary_folder import temporary_folder

with temporary_folder(Path(sys.argv[1])) as folder:
    (folder / "file").touch()
    print(folder, flush=True)
    sys.stdin.read()
"""


def make_old(folder: Path) -> None:
    os.utime(folder, (0, 0))


def test_a_folder_that_a_killed_process_has_left_is_removed_and_that_of_a_live_one_is_not(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        left = Path(process.stdout.readline().strip())
        make_old(left)
        with temporary_folder(tmp_path):
            assert (left / "file").exists()
        process.kill()
    assert left.exists()
    with temporary_folder(tmp_path) as folder:
        assert [*tmp_path.iterdir()] == [folder]
    assert not [*tmp_path.iterdir()]


def test_a_young_folder_may_not_have_its_lock_yet(tmp_path: Path) -> None:
    (tmp_path / ".mnist_lstm-work-young").mkdir()
    with temporary_folder(tmp_path):
        pass
    assert (tmp_path / ".mnist_lstm-work-young").exists()


@pytest.mark.parametrize("name", ["mnist_lstm-benchmark-1", ".mlflow-backup", ".build-notes", "mnist_lstm-work-1"])
def test_nothing_else_is_removed(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    make_old(tmp_path / name)
    with temporary_folder(tmp_path):
        pass
    assert (tmp_path / name).exists()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    make_old(tmp_path / "mine")
    (tmp_path / ".mnist_lstm-work-link").symlink_to(tmp_path / "mine")
    with temporary_folder(tmp_path):
        pass
    assert (tmp_path / "mine").exists()
