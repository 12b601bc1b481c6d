import ctypes
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from mnist_lstm import provenance
from mnist_lstm.core.kernel import library
from mnist_lstm.errors import UserError
from mnist_lstm.tracking.reproduce.worktree import get_kernel, worktree
from tests.support.projects import REPOSITORY
from tests.test_provenance import committed, git

PRESET = "conf/wide/parameters.yml"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository with a small package and a base configuration."""
    made = tmp_path / "project"
    for name in ("src/mnist_lstm/models.py", "conf/base/parameters.yml"):
        write(made, name, "units: 128\n")
    committed(made)
    monkeypatch.setattr(provenance, "PACKAGE", made / "src/mnist_lstm")
    return made


def write(project: Path, name: str, content: str) -> None:
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text(content)


def recorded(project: Path, preset: str) -> dict[str, Any]:
    """What a run would record now; afterwards the project gets other code."""
    about = {"git": provenance.code(project), "preset": preset}
    git(project, "add", ".")
    git(project, "commit", "-q", "--allow-empty", "-m", "Go on")
    write(project, "src/mnist_lstm/models.py", "units: 1\n")
    return about


def test_a_worktree_has_the_runs_code_and_its_preset_though_git_knew_neither(project: Path, tmp_path: Path) -> None:
    write(project, PRESET, "units: 256\n")
    write(project, "src/mnist_lstm/new.py", "new\n")
    write(project, "src/mnist_lstm/models.py", "units: 64\n")
    with worktree(recorded(project, "wide"), project, tmp_path, allow_differences=False) as place:
        assert (place / PRESET).read_text() == "units: 256\n"
        assert (place / "src/mnist_lstm/new.py").read_text() == "new\n"
        assert (place / "src/mnist_lstm/models.py").read_text() == "units: 64\n"
    assert not place.exists()


def test_a_worktree_has_every_byte_that_the_run_had(project: Path, tmp_path: Path) -> None:
    contents = {
        "src/mnist_lstm/models.py": b"units: 64\r\ncaf\xe9\r\n",
        "src/mnist_lstm/n\u00e9w.py": b"\xff\xfe\r\n\r",
    }
    for name, content in contents.items():
        (project / name).write_bytes(content)
    about = json.loads(json.dumps(recorded(project, "base")))
    with worktree(about, project, tmp_path, allow_differences=False) as place:
        assert {name: (place / name).read_bytes() for name in contents} == contents


def refused(about: dict[str, Any], project: Path, folder: Path) -> str:
    with pytest.raises(UserError) as raised, worktree(about, project, folder, allow_differences=False):
        pass
    assert not (folder / "worktree").exists()
    return str(raised.value)


@pytest.mark.parametrize(
    ("preset", "reason"),
    [
        (None, "needs the run's preset conf/wide, found none in commit"),
        ("units: 256\n" * 20, "too large to be recorded"),
        ("uri: https://alice:S3cret@host\n", "its URLs had secrets"),
    ],
)
def test_a_preset_that_the_record_lacks_in_part_or_in_all_is_refused(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preset: str | None, reason: str
) -> None:
    monkeypatch.setattr(provenance, "MOST_DIFF", 200 if preset and "units" in preset else provenance.MOST_DIFF)
    if preset:
        write(project, PRESET, preset)
    assert reason in refused(recorded(project, "wide"), project, tmp_path)


def test_source_that_is_not_the_runs_is_refused_unless_that_is_allowed(project: Path, tmp_path: Path) -> None:
    about = recorded(project, "base")
    then = about["git"]["source_sha256"]
    about["git"]["source_sha256"] = "0" * 64
    assert f"the run's source 00000000, found {then[:8]} in commit" in refused(about, project, tmp_path)
    with worktree(about, project, tmp_path, allow_differences=True) as place:
        assert place.is_dir()


@pytest.mark.parametrize(
    ("known", "reason"), [({}, "it ran outside of git"), ({"reason": "dubious"}, "git refused: dubious")]
)
def test_a_run_without_a_commit_is_refused_with_the_reason(
    project: Path, tmp_path: Path, known: dict[str, str], reason: str
) -> None:
    about = {"git": {"commit": None, "diff": None, "source_sha256": ""} | known, "preset": "base"}
    assert f"found none recorded: {reason}" in refused(about, project, tmp_path)


def test_a_worktree_of_a_larger_repository_has_the_projects_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = tmp_path / "outer"
    project = outer / "my project"
    write(project, "src/mnist_lstm/models.py", "units: 128\n")
    write(outer, "notes.txt", "before\n")
    committed(outer)
    monkeypatch.setattr(provenance, "PACKAGE", project / "src/mnist_lstm")
    write(outer, "notes.txt", "after\n")
    write(project, "src/mnist_lstm/models.py", "units: 64\n")
    write(project, PRESET, "units: 256\n")
    with worktree(recorded(project, "wide"), project, tmp_path, allow_differences=False) as place:
        assert (place / "src/mnist_lstm/models.py").read_text() == "units: 64\n"
        assert (place / PRESET).read_text() == "units: 256\n"
        assert (place.parent / "notes.txt").read_text() == "before\n"


def test_a_file_that_was_withheld_is_named_and_may_lack_if_differences_are_allowed(
    project: Path, tmp_path: Path
) -> None:
    write(project, "conf/prod/secrets.yml", "token: hunter2\n")
    write(project, PRESET, "units: 256\n")
    about = recorded(project, "wide")
    assert "conf/prod/secrets.yml may hold secrets, which are not recorded" in refused(about, project, tmp_path)
    with worktree(about, project, tmp_path, allow_differences=True) as place:
        assert (place / PRESET).read_text() == "units: 256\n"
        assert not (place / "conf/prod").exists()


@pytest.mark.parametrize("changed", [pytest.param(True, marks=pytest.mark.slow), False])
def test_code_that_git_has_checked_out_gets_the_kernel_of_its_source(tmp_path: Path, changed: bool) -> None:
    if not [*library.FOLDER.glob("_*.so")]:
        pytest.skip("the kernel is not built")
    folder = tmp_path / "src" / "mnist_lstm" / "core" / "kernel"
    folder.mkdir(parents=True)
    source = library.SOURCE.read_text() + "/* other */" * changed
    (folder / "kernel.c").write_text(source)
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, tmp_path)
    get_kernel(tmp_path)
    assert {path.name for path in folder.glob("_*.so")} == {path.name for path in library.FOLDER.glob("_*.so")}
    kernel = ctypes.CDLL(str(next(folder.glob("_plain.*so"))))
    kernel.source.restype = ctypes.c_char_p
    assert kernel.source().decode() == hashlib.sha256(source.encode()).hexdigest()


def test_code_of_version_0_1_has_no_kernel(tmp_path: Path) -> None:
    get_kernel(tmp_path)
    assert not [*tmp_path.iterdir()]
