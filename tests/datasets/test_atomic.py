import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from kedro.io import DatasetError

from mnist_lstm.datasets.atomic import atomic_file, atomic_write
from mnist_lstm.datasets.text import JSONDataset
from mnist_lstm.errors import UserError
from tests.datasets.bits import refusal
from tests.support.projects import wait_for

OLD, NEW = b"old", b"new"
KILLS = 12
SIZE = 400_000  # bytes of a file that is written while the process is killed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    old = tmp_path / "report.json"
    old.write_bytes(OLD)
    return old


def fail_at(monkeypatch: pytest.MonkeyPatch, function: str, call: int, error: BaseException) -> None:
    """Makes the n-th call of a function of `os` raise."""
    calls = iter(range(1, call + 1))
    real = getattr(os, function)

    def failing(*arguments: Any, **options: Any) -> Any:
        if next(calls, None) == call:
            raise error
        return real(*arguments, **options)

    monkeypatch.setattr(os, function, failing)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_device_or_a_folder_is_not_replaced(tmp_path: Path, make: Any) -> None:
    make(tmp_path / "it")
    with pytest.raises(UserError, match="it must be a file or free, found a folder or a device; choose another name"):
        atomic_write(tmp_path / "it", NEW)
    assert not (tmp_path / "it").is_file()


def test_a_link_to_an_open_file_is_not_replaced_even_where_that_is_a_file(path: Path) -> None:
    with path.open("rb") as file:
        link = path.with_name("stdout")
        link.symlink_to(f"/proc/self/fd/{file.fileno()}")  # as /dev/stdout is one
        with pytest.raises(UserError, match="stdout must be a file or free"):
            atomic_write(link, NEW)
    assert link.is_symlink()


POINTS = [("fsync", 1, OLD), ("replace", 1, OLD), ("fsync", 2, NEW)]
ERRORS = [RuntimeError("any"), OSError(errno.EIO, "input/output error"), KeyboardInterrupt()]


@pytest.mark.parametrize(("function", "call", "content"), POINTS)
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_after_an_error_at_any_step_the_file_is_the_old_or_the_new_one_and_there_is_no_other(
    path: Path, monkeypatch: pytest.MonkeyPatch, function: str, call: int, content: bytes, error: BaseException
) -> None:
    fail_at(monkeypatch, function, call, error)
    with pytest.raises(type(error)):
        atomic_write(path, NEW)
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_writer_that_fails_half_way_leaves_the_old_file_unchanged(path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)), atomic_file(path) as temporary:  # noqa: PT012  it is the body that fails
        temporary.write_bytes(NEW[:1])
        raise error
    assert path.read_bytes() == OLD
    assert list(path.parent.iterdir()) == [path]


def test_the_file_is_on_the_disk_before_it_gets_its_name_and_its_name_after(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = mock.Mock(fsync=mock.Mock(wraps=os.fsync), replace=mock.Mock(wraps=os.replace))
    monkeypatch.setattr(os, "fsync", steps.fsync)
    monkeypatch.setattr(os, "replace", steps.replace)
    atomic_write(path, NEW)
    assert [name for name, _, _ in steps.mock_calls] == ["fsync", "replace", "fsync"]


def test_a_missing_folder_is_made_and_the_temporary_file_lies_in_it_with_the_same_suffix(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file.json"
    with atomic_file(path) as temporary:
        assert (temporary.parent, temporary.suffix) == (path.parent, ".json")
        temporary.write_bytes(NEW)
    assert path.read_bytes() == NEW


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT, errno.EFBIG])
def test_an_error_about_a_disk_that_is_not_writable_names_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    fail_at(monkeypatch, "fsync", 1, OSError(number, os.strerror(number)))
    with pytest.raises(UserError, match=rf"{path} must be writable, found: {os.strerror(number)}"):
        atomic_write(path, NEW)
    assert path.read_bytes() == OLD


@pytest.fixture
def umask() -> Iterator[int]:
    """A mask that is not the usual one: nothing for others, no writing for the group."""
    before = os.umask(0o027)
    yield 0o027
    os.umask(before)


def test_a_new_file_has_the_rights_that_the_umask_leaves_which_stays(tmp_path: Path, umask: int) -> None:
    atomic_write(tmp_path / "file", NEW)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666 & ~umask
    assert os.umask(umask) == umask


# A process that writes a file full of one letter, then of the next, and so on, until it is killed
LETTERS = f"""
import contextlib, itertools, os, sys
from pathlib import Path
from mnist_lstm.datasets.atomic import atomic_file

path = Path(sys.argv[2])
place = {{"atomic": atomic_file, "plain": contextlib.nullcontext}}[sys.argv[1]]
for letter in itertools.cycle("abc"):
    with place(path) as temporary, temporary.open("wb") as file:
        for _ in range(100):
            file.write(letter.encode() * {SIZE // 100})
            file.flush()
    print(letter, flush=True)
"""


def contents_after_kills(writer: str, path: Path) -> list[bytes]:
    """The file's content each time its writer was killed at a random moment."""
    moments, contents = random.Random(0), []
    for _ in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-c", LETTERS, writer, str(path)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()  # one file is complete
            time.sleep(moments.uniform(0, 0.02))
            process.kill()
        assert process.returncode == -signal.SIGKILL
        contents.append(path.read_bytes())
    return contents


def is_complete(content: bytes) -> bool:
    return len(content) == SIZE and len(set(content)) == 1


@pytest.mark.parametrize("writer", ["atomic", "plain"])
def test_after_kill_9_at_any_moment_the_file_is_complete_which_that_of_a_plain_writer_is_not(
    tmp_path: Path, writer: str
) -> None:
    complete = all(map(is_complete, contents_after_kills(writer, tmp_path / "file")))
    assert complete == (writer == "atomic")


@pytest.fixture
def dataset(path: Path) -> JSONDataset:
    return JSONDataset(filepath=str(path))


def test_a_dataset_whose_save_fails_leaves_the_old_file_loads_it_and_saves_the_next_time(
    dataset: JSONDataset, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text('{"run": "an earlier one"}')
    with monkeypatch.context() as patched:
        fail_at(patched, "replace", 1, RuntimeError("any"))
        with pytest.raises(DatasetError, match="any"):
            dataset.save({"a": 1})
    assert dataset.load() == {"run": "an earlier one"}
    assert list(path.parent.iterdir()) == [path]
    dataset.save({"a": 2})
    assert json.loads(path.read_text()) == {"a": 2}


def test_an_error_in_saving_names_the_file_and_not_the_temporary_one(dataset: JSONDataset, path: Path) -> None:
    with pytest.raises(DatasetError, match=r"report\.json") as raised:
        dataset.save({"a": object()})
    assert ".report-" not in str(raised.value)


def test_a_full_disk_reaches_the_user_through_kedros_error(
    dataset: JSONDataset, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(monkeypatch, "replace", 1, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert f"{path} must be writable" in refusal(lambda: dataset.save({"a": 1}))


def test_a_dataset_loads_what_this_run_saved_after_another_run_wrote_the_file_until_it_is_released(
    dataset: JSONDataset, path: Path
) -> None:
    dataset.release()  # before it saved
    dataset.save({"run": "this"})
    JSONDataset(filepath=str(path)).save({"run": "another"})
    assert dataset.load() == {"run": "this"}
    dataset.release()
    assert dataset.load() == {"run": "another"}


def test_an_artifact_alone_keeps_the_bytes_that_this_run_wrote_until_it_is_released(path: Path) -> None:
    dataset = JSONDataset(filepath=str(path), metadata={"mlflow": "artifact"})
    dataset.save({"run": "this"})
    written = path.read_bytes()
    other = JSONDataset(filepath=str(path))
    other.save({"run": "another"})
    assert (dataset.written, other.written) == (written, None)
    dataset.release()
    assert dataset.written is None


def test_a_file_that_is_not_local_is_refused() -> None:
    with pytest.raises(UserError, match=r"must be a local path, found 'memory://folder/report\.json'"):
        JSONDataset(filepath="memory://folder/report.json")


def test_while_two_processes_write_one_file_it_is_always_complete(tmp_path: Path) -> None:
    path = tmp_path / "file"
    command = [sys.executable, "-c", LETTERS, "atomic", str(path)]
    writers = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    try:
        wait_for(path.exists)
        contents = [path.read_bytes() for _ in range(300)]
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    assert all(map(is_complete, contents))


def test_what_killed_processes_left_unfinished_is_removed_and_what_others_write_stays(path: Path) -> None:
    left, busy = (path.with_name(f".unfinished-{name}") for name in ("old-abc.json", "new-abc.json"))
    for file in (left, busy):
        file.write_bytes(NEW)
    os.utime(left, (0, 0))
    atomic_write(path, NEW)
    assert sorted(path.parent.iterdir()) == [busy, path]
