import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from mnist_lstm import provenance


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with one commit of one file."""
    (tmp_path / "code.py").write_text("answer = 42\n")
    return committed(tmp_path)


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def committed(folder: Path) -> Path:
    """Commits all files of a folder, in a repository that is made where there is none."""
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "--allow-empty", "-m", "It"]):
        git(folder, *command)
    return folder


def test_code_is_known_by_its_commit_and_source(repository: Path) -> None:
    found = provenance.code(repository)
    assert (found["commit"], found["dirty"], found["diff"]) == (git(repository, "rev-parse", "HEAD"), False, "")
    (repository / "new.py").write_text("")
    assert provenance.code(repository)["dirty"] is True
    (repository / ".gitignore").write_text("new.py\n")
    assert provenance.code(committed(repository))["dirty"] is False, "what git ignores does not count"


@pytest.mark.parametrize("staged", [False, True])
def test_a_changed_file_makes_the_code_dirty_and_stands_in_the_diff(repository: Path, staged: bool) -> None:
    (repository / "code.py").write_text("answer = 43\n")
    if staged:
        git(repository, "add", "code.py")
    found = provenance.code(repository)
    assert found["dirty"] is True
    assert "-answer = 42\n+answer = 43\n" in found["diff"]


def test_new_files_that_decide_a_run_stand_in_the_diff_so_that_it_makes_them(repository: Path) -> None:
    contents = {
        "conf/my wide/parameters.yml": "model: {hidden_size: 256}\n",
        "src/new.py": "",
        "src/\u00fc.bin": "\0\1",
    }
    (repository / "code.py").write_text("answer = 43\n")
    for name, content in contents.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(content)
    diff = provenance.code(repository)["diff"]
    git(repository, "worktree", "add", "--detach", "elsewhere")
    (repository / "the.diff").write_text(diff)
    git(repository / "elsewhere", "apply", str(repository / "the.diff"))
    made = repository / "elsewhere"
    assert {name: (made / name).read_text() for name in contents} == contents
    assert (made / "code.py").read_text() == "answer = 43\n"


def test_a_password_stands_not_in_the_diff_which_says_so(repository: Path) -> None:
    (repository / "code.py").write_text("answer = 43\n")
    assert provenance.code(repository)["redacted"] is False
    (repository / "code.py").write_text("uri = https://alice:S3cret@host/mlflow\n")
    found = provenance.code(repository)
    assert "+uri = https://***@host/mlflow\n" in found["diff"]
    assert "S3cret" not in json.dumps(found)
    assert found["redacted"] is True


@pytest.mark.parametrize(
    "setting",
    ["diff.noprefix=true", "diff.mnemonicPrefix=true", "color.ui=always", "diff.external=true", "diff.context=0"],
)
def test_the_diff_does_not_depend_on_the_users_settings_of_git(repository: Path, setting: str) -> None:
    (repository / "code.py").write_text("answer = 43\n")
    (repository / "src").mkdir()
    (repository / "src/new.py").write_text("new\n")
    expected = provenance.code(repository)
    git(repository, "config", *setting.split("="))
    assert provenance.code(repository) == expected


@pytest.mark.parametrize("name", ["notes.txt", "data/digits.csv", "conf/wide/credentials.yml", "conf/local/it.yml"])
def test_other_new_files_and_secrets_stand_not_in_the_diff(repository: Path, name: str) -> None:
    (repository / ".git/info/exclude").write_text("conf/local\n")
    (repository / name).parent.mkdir(parents=True, exist_ok=True)
    (repository / name).write_text("secret\n")
    assert provenance.code(repository)["diff"] == ""


@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize(
    "name", ["conf/prod/credentials/db.yml", "conf/base/my_creds.yml", "src/.env", "conf/a key.pem"]
)
def test_a_file_that_may_hold_secrets_is_named_and_not_recorded(repository: Path, name: str, tracked: bool) -> None:
    (repository / name).parent.mkdir(parents=True)
    if tracked:
        (repository / name).write_text("nothing yet\n")
        committed(repository)
    (repository / name).write_text("hunter2\n")
    (repository / "code.py").write_text("answer = 43\n")
    found = provenance.code(repository)
    assert "answer = 43" in found["diff"]
    assert "hunter2" not in json.dumps(found)
    assert (found["withheld"], found["redacted"], found["dirty"]) == ([name], True, True)


@pytest.fixture
def nested(repository: Path) -> Path:
    """A project in a folder of a larger repository, in which another file has changed."""
    project = repository / "my project"
    (project / "src").mkdir(parents=True)
    (project / "src/model.py").write_text("units = 128\n")
    committed(repository)
    (repository / "code.py").write_text("hunter2\n")
    return project


def test_of_a_larger_repository_only_the_projects_own_folder_counts(nested: Path) -> None:
    assert (provenance.code(nested)["dirty"], provenance.code(nested)["diff"]) == (False, "")
    (nested / "src/model.py").write_text("units = 64\n")
    (nested / "src/new.py").write_text("new\n")
    found = provenance.code(nested)
    assert (found["dirty"], found["folder"]) == (True, "my project/")
    assert "b/src/model.py" in found["diff"]
    assert "b/src/new.py" in found["diff"]
    assert "hunter2" not in json.dumps(found)


def test_a_repository_that_has_no_file_of_the_project_is_not_the_projects(repository: Path) -> None:
    (repository / "other").mkdir()
    (repository / "other/code.py").write_text("answer = 43\n")
    assert provenance.code(repository / "other")["commit"] is None


@pytest.mark.parametrize("name", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_LITERAL_PATHSPECS"])
def test_gits_variables_do_not_name_another_repository(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    expected = provenance.code(repository)
    monkeypatch.setenv(name, str(tmp_path_factory.mktemp("other")))
    assert provenance.code(repository) == expected


def test_where_git_refuses_or_is_not_installed_that_is_recorded(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / ".git/config").write_text("[core]\nrepositoryformatversion = 99\n")
    found = provenance.code(repository)
    assert found["commit"] is None
    assert "99" in found["reason"]
    monkeypatch.setenv("PATH", "")
    found = provenance.code(repository)
    assert (found["commit"], found["reason"]) == (None, "git is not installed")


def test_outside_of_git_and_before_the_first_commit_there_is_none(tmp_path: Path) -> None:
    found = provenance.code(tmp_path)
    assert {found[key] for key in ("commit", "dirty", "diff", "redacted", "reason")} == {None}
    git(tmp_path, "init", "-q")
    assert provenance.code(tmp_path)["commit"] is None


CHANGES: dict[str, Callable[[Path], object]] = {
    "content": lambda module: module.write_text("units = 129\n"),
    "name": lambda module: module.rename(module.with_name("model.py")),
    "new module": lambda module: module.with_name("new.py").write_text(""),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_of_the_source_gives_another_digest_and_what_is_compiled_none(tmp_path: Path, change: str) -> None:
    (tmp_path / "core").mkdir()
    (module := tmp_path / "core/models.py").write_text("units = 128\n")
    before = provenance.source_digest(tmp_path)
    module.with_suffix(".pyc").write_bytes(b"compiled")
    assert provenance.source_digest(tmp_path) == before
    CHANGES[change](module)
    assert provenance.source_digest(tmp_path) != before


def test_the_environment_names_the_packages_that_decide_results(tmp_path: Path) -> None:
    packages = provenance.environment(tmp_path)["packages"]
    assert packages == {name: metadata.version(name) for name in packages}
    assert {"mnist_lstm", "torch", "numpy", "kedro", "mlflow", "scikit-learn"} <= set(packages)


def test_the_lock_file_is_known_by_its_digest_where_there_is_one(tmp_path: Path) -> None:
    assert provenance.environment(tmp_path)["lock_sha256"] is None
    (tmp_path / "requirements.lock").write_bytes(b"torch==2.13.0\n")
    digest = hashlib.sha256(b"torch==2.13.0\n").hexdigest()
    assert provenance.environment(tmp_path)["lock_sha256"] == digest


def test_the_hardware_names_the_processor_and_its_vector_instructions() -> None:
    hardware = provenance.hardware()
    assert hardware["processor"]
    assert hardware["cores"] >= 1
    assert hardware["memory_bytes"] > 2**20
    assert hardware["accelerator"] is None or isinstance(hardware["accelerator"], str)


def test_everything_that_is_known_can_be_written_as_json(repository: Path) -> None:
    about = [provenance.code(repository), provenance.environment(repository), provenance.hardware()]
    assert json.loads(json.dumps(about))


def test_the_command_is_told_without_its_folder_and_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    given = ["/home/ada/.venv/bin/kedro", "run", "--params", "data.mirror=https://ada:secret@host/mnist"]
    monkeypatch.setattr(sys, "argv", given)
    assert provenance.command_line() == "kedro run --params data.mirror=https://***@host/mnist"
