"""What `kedro new --starter` makes of this project: a project of another name that passes its own checks."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from mlflow import MlflowClient

from mnist_lstm.cli import cli
from starter.new_project import ALLOWED, EDITS, EDITS_WITHOUT, fill
from tests.support.projects import KEDRO, REPOSITORY, surroundings

BIN = Path(sys.executable).parent
pytestmark = pytest.mark.skipif(not (REPOSITORY / ".git").exists(), reason="not in a git repository")


def answers(name: str, **chosen: str) -> dict[str, str]:
    slug = name.lower().replace(" ", "-")
    names = {"project_name": name, "repo_name": slug, "python_package": slug.replace("-", "_")}
    return names | {"cell": "gru", "view": "columns", "ray": "no", "digits": "no"} | chosen


class New(NamedTuple):
    """A project that was made.

    Attributes:
        path: its root.
        given: the answers.
        files: the text of each file below it.
    """

    path: Path
    given: dict[str, str]
    files: dict[str, str]


def made(folder: Path, given: dict[str, str], starter: str = str(REPOSITORY)) -> New:
    """By `kedro new`, which leaves the home folder alone, with other people's files where its hook runs."""
    (temporary := folder / "temporary").mkdir()
    for module in (given["python_package"], "json", "pathlib", "shutil"):
        (temporary / f"{module}.py").write_text("raise SystemExit('not a module of the starter')\n")
    (folder / "answers.yml").write_text(yaml.safe_dump(given))
    command = [KEDRO, "new", f"--starter={starter}", "--directory=starter", "--config=answers.yml"]
    called(command, folder, HOME=str(folder), TMPDIR=str(temporary))
    path = folder / given["repo_name"]
    read = {each.relative_to(path).as_posix(): each.read_bytes() for each in path.rglob("*") if each.is_file()}
    return New(path, given, {name: content.decode("latin-1") for name, content in read.items()})


def called(command: list[str], folder: Path, **environment: str) -> None:
    kept = {name: value for name, value in surroundings().items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        command, cwd=folder, env=kept | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout[-5000:]


NAMES = {
    "Ab": answers("Ab", ray="yes", digits="yes", cell="lstm", view="rows"),
    "longest": answers("Qqqqqqqqqq qqqqqqqqqqq qq", cell="rnn", view="pixels"),
}


@pytest.fixture(scope="module", params=NAMES)
def new(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> New:
    folder = tmp_path_factory.mktemp("new")
    return made(folder, NAMES[request.param], starter=os.path.relpath(REPOSITORY, folder))  # as `make starter` does


def test_a_new_project_has_no_name_and_no_result_of_this_one(new: New) -> None:
    texts = [*new.files, *new.files.values()]
    assert not [text[:200] for text in texts if re.search("mnist[_-]lstm", text, re.IGNORECASE)]
    results = [r"EPYC, (2 cores, )?no GPU\)[;.]", r"0\.9627", "Understanding LSTM", r"docs/images"]
    own = {name: text for name, text in new.files.items() if not name.startswith("tests/")}
    assert not [name for name, text in own.items() for result in results if re.search(result, text)]


def test_its_names_are_those_of_the_answers(new: New) -> None:
    given, configuration = new.given, yaml.safe_load(new.files["conf/base/parameters.yml"])
    tracking = yaml.safe_load(new.files["conf/base/mlflow.yml"])["tracking"]
    assert tracking["experiment"]["name"] == given["repo_name"]
    assert tracking["registry"]["name"] == f"{{data}}-{given['repo_name']}"
    assert f'project_name = "{given["project_name"]}"' in new.files["pyproject.toml"]
    assert (configuration["model"]["cell"], configuration["sequence"]["view"]) == (given["cell"], given["view"])
    assert f"src/{given['python_package']}/settings.py" in new.files


def test_ray_and_the_digits_stay_behind_where_they_are_not_wanted(new: New) -> None:
    package = new.given["python_package"]
    for question, names in {
        "ray": [f"src/{package}/cluster/training.py", "conf/ray/parameters.yml", "docs/cluster.md"],
        "digits": ["conf/fast/parameters.yml", "conf/accurate/parameters.yml"],
    }.items():
        assert {name in new.files for name in names} == {new.given[question] == "yes"}
    uses = [name for name, text in new.files.items() if name[:4] == "src/" and re.search('import ray|"ray"', text)]
    assert bool(uses) == (new.given["ray"] == "yes")
    assert ("fashion" in new.files["conf/base/catalog.yml"]) == (new.given["digits"] == "yes")


def test_its_code_needs_no_formatting(new: New) -> None:
    for words in ("check", "format --check"):
        called([str(BIN / "ruff"), *words.split(), "."], new.path)


def test_its_readme_names_its_commands_and_files(new: New) -> None:
    named = set(re.findall(r"`kedro (\w+)", new.files["README.md"]))
    assert {"run", "ui", "sweep", "reproduce"} <= named <= set(cli.commands)
    links = set(re.findall(r"\]\(((?!https)[^)]+)\)", new.files["README.md"]))
    assert links <= set(new.files)
    assert "{" not in new.files["README.md"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        *((answers("Ab") | {key: "a/b"}, f"^Error: {key} must match .*, found 'a/b'") for key in ALLOWED),
        *(
            (answers(name), f"not be the name of another package, found '{name.lower()}'")
            for name in ("Torch", "Tests")
        ),
    ],
)
def test_an_answer_that_cannot_be_is_refused_before_a_file_is_written(
    given: dict[str, Any], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=reason):
        fill(str(REPOSITORY / "starter"), given)
    assert os.listdir() == []


def test_a_file_that_is_edited_is_there() -> None:
    edits = EDITS + EDITS_WITHOUT["ray"] + EDITS_WITHOUT["digits"]
    assert not {path for path, *_ in edits if not (REPOSITORY / path).is_file()}


# Starts a script by a Python whose path may hold spaces, as pip does
SCRIPT = """#!/bin/sh
'''exec' "$(dirname "$0")/python" "$0" "$@"
' '''
"""


def set_up(new: New) -> None:
    """Makes the `.venv` of a new project, with the packages that are installed here: to install them takes minutes."""
    venv.create(new.path / ".venv")
    programs, (site,) = new.path / ".venv" / "bin", (new.path / ".venv").glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n{new.path / 'src'}\n")
    metadata = site / f"{new.given['python_package']}-0.1.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: {new.given['python_package']}\nVersion: 0.1.0\n")
    for name in ("kedro", "mlflow", "mypy", "pytest"):
        (programs / name).write_text(SCRIPT + (BIN / name).read_text().partition("\n")[2])
        (programs / name).chmod(0o755)
    (programs / "ruff").symlink_to(BIN / "ruff")
    called([str(programs / "python"), "setup.py", "build_ext", "--inplace"], new.path)  # the kernel
    (new.path / ".venv" / "installed").touch()
    if (known := REPOSITORY / ".mypy_cache").is_dir():  # the libraries' types, which `make lint` has read here
        shutil.copytree(known, new.path / ".mypy_cache")


# What a new project changes by more than its name; `make test-starter` names all its tests instead
CHANGED = """
    tests/test_parameters.py tests/test_project.py tests/test_cli.py tests/pipelines/test_nodes.py
    tests/datasets/test_image_sources.py tests/sweep/test_grid.py
    tests/core/kernel/test_kernel.py::test_where_there_is_a_compiler_the_kernel_is_built
"""


@pytest.mark.slow
def test_a_new_project_runs_and_passes_its_own_tests(tmp_path_factory: pytest.TempPathFactory) -> None:
    new = made(tmp_path_factory.mktemp("a folder"), answers("Weather Reader"))
    set_up(new)
    tests = os.environ.get("STARTER_TESTS", f"-n 0 {CHANGED}")
    for words in ("run", f"test ARGS='{' '.join(tests.split())}'"):
        called(["make", *shlex.split(words)], new.path, PYTHONPATH="")
    (model,) = MlflowClient(f"sqlite:///{new.path / 'mlflow.db'}").search_registered_models()
    assert model.name == "digits-weather-reader"
    assert (new.path / "mlartifacts" / "weather-reader").is_dir()
