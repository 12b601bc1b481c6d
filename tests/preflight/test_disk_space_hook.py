"""A full disk and a folder that cannot be written: reported by the folder, before training where it can be known."""

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.pipeline import Pipeline

from mnist_lstm.errors import UserError
from mnist_lstm.preflight import disk_space_hook
from tests.support.projects import DIGITS, Project, copied, mistake


def contents(project: Project) -> dict[Path, bytes]:
    """Every file below data/ with its content; locks are none."""
    files = [path for path in (project.path / "data").rglob("*") if path.is_file() and path.suffix != ".lock"]
    return {path: path.read_bytes() for path in files}


def full(project: Project, patch: pytest.MonkeyPatch) -> str:
    patch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3 * 2**20))
    return f"{project.path}/data/02_intermediate must have 200 MiB free for what a run writes, found 3"


def protected(project: Project, patch: pytest.MonkeyPatch) -> str:
    real, place = os.access, project.path / "data/06_models"
    patch.setattr(os, "access", lambda path, mode: Path(path) != place and real(path, mode))
    return f"{place} must be a folder that can be written"


def occupied(project: Project, patch: pytest.MonkeyPatch) -> str:
    (project.path / "data/08_reporting/report.html").mkdir(parents=True)
    return "report.html must be a file or free, found a folder; move it away."


@pytest.mark.parametrize("fault", [full, protected, occupied])
def test_a_disk_or_folder_that_cannot_be_written_is_told_before_anything_is_written_or_recorded(
    project: Project, monkeypatch: pytest.MonkeyPatch, fault: Any
) -> None:
    said = fault(project, monkeypatch)
    assert said in mistake(project.invoke("--params", DIGITS))
    assert (contents(project), project.runs()) == ({}, [])


def test_a_folder_that_is_not_there_yet_may_be_made_unless_a_file_is_in_its_place(tmp_path: Path) -> None:
    disk_space_hook.expect_room(tmp_path / "a" / "b", 0)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "a").write_text("")
    with pytest.raises(UserError, match="is a file; move it away"):
        disk_space_hook.expect_room(tmp_path / "a" / "b", 0)


def test_the_folder_for_temporary_files_needs_room_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3 * 2**20))
    with pytest.raises(UserError, match=f"{tmp_path} must have 32 MiB free .* found 3; make room; .* by TMPDIR"):
        disk_space_hook.CheckDiskSpace().before_pipeline_run(Pipeline([]), {})


def test_a_link_to_a_folder_that_is_away_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(tmp_path / "disk")
    with pytest.raises(UserError, match=f"{tmp_path / 'data'} must .* a link to {tmp_path / 'disk'}, which"):
        disk_space_hook.expect_room(tmp_path / "data" / "08_reporting", 0)


@pytest.mark.parametrize(
    ("name", "last"), [("02_intermediate", "ingest"), ("checkpoints", "train"), ("metrics", "score")]
)
def test_a_disk_that_gets_full_in_mid_run_leaves_the_files_of_the_run_before(
    short: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, last: str
) -> None:
    project, real = short.copied_to(tmp_path), os.replace
    before = contents(project)

    def full(source: Any, target: Any) -> None:
        if name in str(target):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    line = mistake(project.invoke("--params", f"{DIGITS},training.seed=5", "--to-nodes", last))
    assert name in line
    assert "must be writable, found: No space left on device" in line
    after = contents(project)
    assert {path: content for path, content in before.items() if name in str(path)} == {
        path: content for path, content in after.items() if name in str(path)
    }


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MiB, where this machine may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this process may not mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("known", [True, False], ids=["known before", "met in mid-run"])
def test_a_real_disk_that_is_too_small_is_told_in_one_line(
    small_disk: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    project = copied(small_disk / "project")
    (project.path / "mlflow.db").write_bytes(empty_store.read_bytes())
    if not known:
        monkeypatch.setattr(disk_space_hook, "LEAST", 0)
    line = mistake(project.invoke("--params", f"{DIGITS},model.hidden_size=256"))
    assert str(project.path / "data") in line
    assert "must have 200 MiB free" in line if known else "No space left" in line
    assert not [path for path in contents(project) if path.name.startswith(".") and path.suffix]


@pytest.mark.slow
def test_a_real_disk_that_is_read_only_is_told_in_one_line(small_disk: Path, empty_store: Path) -> None:
    project = copied(small_disk / "project")
    (project.path / "mlflow.db").write_bytes(empty_store.read_bytes())
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert f"{project.path}/data" in mistake(project.invoke("--params", DIGITS))
