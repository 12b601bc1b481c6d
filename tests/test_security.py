"""What must not be there after a run: pickles, open doors, other machines, passwords."""

import io
import json
import re
import tomllib
import zipfile
from pathlib import Path
from pickle import UnpicklingError

import pytest
import torch

from tests.support.guard import Trap, attempts, guarded, saved
from tests.support.projects import DIGITS, REPOSITORY, TESTED, Project

SECRET = "hunter2"
SOURCES = list((REPOSITORY / "src").rglob("*.py"))
# Opcodes that a pickle of protocol 2 to 5 begins with
PICKLES = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))


def results(project: Project) -> list[Path]:
    """Every file that a run left: data and the record's artifacts."""
    found = [path for name in ("data", "mlartifacts") for path in (project.path / name).rglob("*")]
    return [path for path in found if path.is_file()]


def artifacts(project: Project) -> list[Path]:
    place = Path(project.last_run().info.artifact_uri.removeprefix("file://")).parents[0]
    return [path for path in place.rglob("*") if path.is_file()]


def pickles(content: bytes, name: str) -> list[str]:
    """Where a file, or a member of a zip file at any depth, is in pickle's format, but for what torch loads safely.

    torch writes its list of tensors so, as data.pkl in a zip file; with `weights_only=True` it runs no code of it.
    """
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return [name] if content.startswith(PICKLES) else []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    if any(member.endswith("/data.pkl") for member in members):
        torch.load(io.BytesIO(content), weights_only=True)  # or it raises
        members = {member: held for member, held in members.items() if not member.endswith("/data.pkl")}
    return [found for member, held in members.items() for found in pickles(held, f"{name}: {member}")]


def test_a_run_leaves_no_pickle_but_lists_of_tensors_that_torch_loads_without_running_code(finished: Project) -> None:
    files = {*results(finished), *artifacts(finished)}
    assert len(files) > 40
    assert not [path for path in files if path.suffix in (".pkl", ".pickle", ".joblib", ".pth")]
    assert [found for path in files for found in pickles(path.read_bytes(), str(path))] == []


def test_a_pickle_within_an_archive_within_an_archive_is_found() -> None:
    inner, outer = io.BytesIO(), io.BytesIO()
    for buffer, name, content in ((inner, "a.bin", b"\x80\x04."), (outer, "inner.zip", None)):
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(name, inner.getvalue() if content is None else content)
    assert pickles(outer.getvalue(), "it") == ["it: inner.zip: a.bin"]
    with pytest.raises(UnpicklingError):
        pickles(saved({"format": Trap()}), "it")


def test_every_server_listens_on_the_loopback_alone() -> None:
    source = "".join(path.read_text() for path in SOURCES)
    hosts = re.findall(r"(?:uvicorn\.run|run_server)\(.*?host=([^,]+),", source)
    assert hosts
    assert set(hosts) <= {'"127.0.0.1"', "HOST"}
    assert 'HOST = "127.0.0.1"' in source
    assert '"--host", HOST, "--port"' in source
    assert "--host" not in (REPOSITORY / "Makefile").read_text()


def test_a_whole_run_on_data_that_are_there_asks_no_other_machine(finished: Project) -> None:
    assert attempts(finished.path.with_name("guard")) == []


@pytest.mark.slow
def test_the_guard_counts_what_asks_another_machine(project: Project) -> None:
    project.set_mirrors("http://192.0.2.1/")
    words, guard = "training.iterations=10,data.timeout=1.0,tracking.enabled=false", project.path / "guard"
    done = project.run("--params", words, "--to-nodes", "ingest", **guarded(guard))
    assert done.returncode == 0, done.stdout
    assert any("192.0.2.1" in line for line in attempts(guard))


@pytest.mark.parametrize("otherwise", ["bundled_digits", "fail"])
def test_a_mirrors_password_is_in_no_output_record_or_file(project: Project, otherwise: str) -> None:
    store = f"sqlite:///{project.path / 'mlflow.db'}"
    mirror = f"http://user:a/{SECRET}@127.0.0.1:9/?token={SECRET}"  # a slash that should be %2F, and a query
    words = f"training.iterations=10,data.mirror={mirror},data.timeout=1.0,data.on_unreachable={otherwise}"
    project.set_mirrors(f"http://other:{SECRET}@127.0.0.1:9/")
    done = project.invoke("--params", words, *TESTED, MLFLOW_TRACKING_URI=store)
    assert done.exit_code == (otherwise == "fail"), done.output
    assert SECRET not in done.output
    run = project.last_run()
    assert SECRET not in json.dumps(run.data.tags | run.data.params)
    assert ("127.0.0.1:9" in json.dumps(run.data.tags)) == (otherwise == "fail"), "which is the reason of a failure"
    assert not [path for path in results(project) if SECRET.encode() in path.read_bytes()]
    assert SECRET.encode() not in (project.path / "mlflow.db").read_bytes()


@pytest.mark.parametrize("uri", ["http://user:{}@127.0.0.1:9", "http://127.0.0.1:9/?user=ada&password={}"])
def test_a_stores_password_is_in_no_output_or_file(project: Project, uri: str) -> None:
    uri = uri.format(SECRET)
    done = project.invoke("--params", DIGITS, "--pipelines", "ingest", MLFLOW_TRACKING_URI=uri)
    assert done.exit_code == 0, done.output
    assert SECRET not in done.output
    assert not [path for path in results(project) if SECRET.encode() in path.read_bytes()]


FLOORS = {"kedro": (1, 3), "mlflow": (3, 11, 1), "torch": (2, 10), "pillow": (11, 3)}


@pytest.mark.parametrize("name", FLOORS)
def test_a_version_with_a_known_hole_is_not_installed(name: str) -> None:
    wanted = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["dependencies"]
    (floor,) = [found[1] for each in wanted if (found := re.match(rf"{name}>=([\d.]+)$", each))]
    locked = re.search(rf"^{name}==([\d.]+)$", (REPOSITORY / "requirements.lock").read_text(), re.MULTILINE)
    assert locked
    numbers = [tuple(map(int, version.split("."))) for version in (floor, locked[1])]
    assert all(number >= FLOORS[name] for number in numbers)


def test_ruffs_rules_of_security_are_on() -> None:
    lint = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
