import os
import subprocess
import sys
from pathlib import Path

import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from tests.support.projects import KEDRO, REPOSITORY, copied, surroundings

SHOW_TELEMETRY = """
import os
import mnist_lstm.settings

print(os.environ["KEDRO_DISABLE_TELEMETRY"], os.environ["MLFLOW_DISABLE_TELEMETRY"])
"""


def test_neither_kedro_nor_mlflow_sends_telemetry() -> None:
    environment = {name: value for name, value in surroundings().items() if "TELEMETRY" not in name}
    command = [sys.executable, "-c", SHOW_TELEMETRY]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "true"]
    assert "kedro_telemetry" not in (REPOSITORY / "pyproject.toml").read_text(), "which would name an id of the plugin"


def test_the_telemetry_plugin_writes_no_id_though_the_environment_lets_it(tmp_path: Path) -> None:
    project, environment = copied(tmp_path).path, surroundings() | {"KEDRO_DISABLE_TELEMETRY": "", "HOME": "/nowhere"}
    subprocess.run([KEDRO, "registry", "list"], cwd=project, env=environment, capture_output=True, check=False)
    assert (project / "pyproject.toml").read_bytes() == (REPOSITORY / "pyproject.toml").read_bytes()


def test_a_session_writes_no_id_of_the_telemetry_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = copied(tmp_path).path
    monkeypatch.delenv("KEDRO_DISABLE_TELEMETRY", raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
    monkeypatch.chdir(project)
    bootstrap_project(project)
    session: KedroSession = KedroSession.create(project_path=project)
    with session:
        assert "checkpoint" in session.load_context().catalog
    assert (project / "pyproject.toml").read_bytes() == (REPOSITORY / "pyproject.toml").read_bytes()
