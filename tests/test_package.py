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

from tests.support.projects import DIGITS, KEDRO, REPOSITORY, called


def tracked(folder: Path) -> Path:
    """The files that git knows, in another folder: so that what is built leaves this one alone."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((REPOSITORY / name).read_bytes())
    return folder


@pytest.mark.slow
def test_the_wheel_runs_in_any_folder_and_reports_a_mistake_in_one_line(tmp_path: Path) -> None:
    project, environment, folder = tracked(tmp_path / "source"), tmp_path / "environment", tmp_path / "any folder"
    done = called([KEDRO, "package"], project, PYTHONPATH=str(project / "src"))
    assert done.returncode == 0, done.stdout
    (wheel,), (configuration,) = (project / "dist").glob("*.whl"), (project / "dist").glob("conf*.tar.gz")
    venv.create(environment)
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    python = str(environment / "bin" / "python")
    install = ["-m", "pip", "--python", python, "install", "--ignore-installed", "--no-deps", "--no-index", str(wheel)]
    assert called([sys.executable, *install], environment).returncode == 0
    folder.mkdir()

    where = called([python, "-c", "import mnist_lstm; print(mnist_lstm.__file__)"], folder, PYTHONPATH="")
    assert where.stdout.startswith(str(environment))
    run = [python, "-m", "mnist_lstm", "--conf-source", str(configuration), "--params"]
    done = called([*run, "model.hiden_size=3"], folder, PYTHONPATH="")
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
    assert done.stdout.splitlines()[-1].startswith("Error: parameter 'model.hiden_size' is unknown")
    assert os.listdir(folder) == []
    done = called([*run, f"{DIGITS},training.threads=1"], folder, PYTHONPATH="")
    assert done.returncode == 0, done.stdout
    assert (folder / "data/08_reporting/report.html").is_file()
    assert (folder / "mlflow.db").is_file()
