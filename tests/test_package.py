"""The project as a package: `kedro package`, its wheel in an environment of its own, run from any folder.

The environment takes the libraries that are installed here by a path file, as to install them takes minutes; only this
package comes from the wheel.
"""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.support.projects import DIGITS, LONGEST, REPOSITORY, surroundings

KEDRO = str(Path(sys.executable).with_name("kedro"))


def called(command: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command whose output holds its errors too."""
    return subprocess.run(
        command,
        cwd=folder,
        env=surroundings() | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST,
    )


def tracked(folder: Path) -> Path:
    """The files that git knows, in another folder: so that what is built leaves this one alone."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((REPOSITORY / name).read_bytes())
    return folder


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of wheel and configuration."""
    project = tracked(tmp_path_factory.mktemp("source"))
    done = called([KEDRO, "package"], project, PYTHONPATH=str(project / "src"))
    assert done.returncode == 0, done.stdout
    return project / "dist"


@pytest.fixture(scope="module")
def python(package: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python that has this package from its wheel."""
    place = tmp_path_factory.mktemp("environment")
    venv.create(place, with_pip=True)
    (site,) = place.glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    (wheel,) = package.glob("*.whl")
    program = str(place / "bin" / "python")
    installed = called([program, "-m", "pip", "install", "--no-deps", "--no-index", str(wheel)], place, PYTHONPATH="")
    assert installed.returncode == 0, installed.stdout
    return program


def run(python: str, package: Path, folder: Path, parameters: str) -> subprocess.CompletedProcess[str]:
    (configuration,) = package.glob("conf*.tar.gz")
    command = [python, "-m", "mnist_lstm", "--conf-source", str(configuration), "--params", parameters]
    return called(command, folder, PYTHONPATH="")


@pytest.mark.slow
def test_the_wheel_runs_in_any_folder(python: str, package: Path, tmp_path: Path) -> None:
    where = called([python, "-c", "import mnist_lstm; print(mnist_lstm.__file__)"], tmp_path, PYTHONPATH="")
    assert where.stdout.startswith(str(Path(python).parents[1]))
    done = run(python, package, tmp_path, f"{DIGITS},training.threads=1")
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "data/08_reporting/report.html").is_file()
    assert (tmp_path / "mlflow.db").is_file()


@pytest.mark.slow
def test_the_wheel_tells_a_mistake_in_one_line(python: str, package: Path, tmp_path: Path) -> None:
    done = run(python, package, tmp_path, "model.hiden_size=3")
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
    assert done.stdout.splitlines()[-1].startswith("Error: parameter 'model.hiden_size' is unknown")
    assert os.listdir(tmp_path) == []
