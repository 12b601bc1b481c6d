import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
import yaml
from filelock import FileLock

from mnist_lstm.errors import UserError
from mnist_lstm.parameters import checked
from mnist_lstm.tracking import moved, start, store
from mnist_lstm.tracking.settings import Settings, read_settings
from tests.conftest import PARAMETERS
from tests.support.projects import DIGITS, REPOSITORY, Project, surroundings, wait_for
from tests.tracking.fake_runs import FakeRuns

MLFLOW: dict[str, Any] = yaml.safe_load((REPOSITORY / "conf/base/mlflow.yml").read_text())


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """The machine's own MLflow settings do not count, and those of a test end with it."""
    with mock.patch.dict(os.environ, surroundings(), clear=True):
        yield


def settings(**tracking: Any) -> Settings:
    return read_settings({"mlflow": MLFLOW, "parameters": {"tracking": tracking} if tracking else {}})


def test_the_settings_are_those_of_mlflow_yml() -> None:
    assert settings().model_dump(by_alias=True) == MLFLOW


def test_a_parameter_overrides_one_key_of_the_settings() -> None:
    overridden = settings(experiment={"name": "other"})
    assert (overridden.tracking.experiment.name, overridden.tracking.enabled) == ("other", True)


@pytest.mark.parametrize(
    ("tracking", "key"),
    [
        ({"enbled": False}, "tracking.enbled"),
        ({"enabled": "no"}, "tracking.enabled"),
        ({"experiment": {"nam": "x"}}, "tracking.experiment.nam"),
        ({"run": {"name": [3]}}, "tracking.run.name"),
        ({"run": {"name": "latest"}}, "tracking.run.name"),
        ({"run": {"name": "champion"}}, "tracking.run.name"),
        ({"run": {"name": "digits-lstm@champion"}}, "tracking.run.name"),
        ({"run": {"name": "best.pt"}}, "tracking.run.name"),
        ({"run": {"name": f"http://127.0.0.1:5000/#/experiments/1/runs/{'a' * 32}"}}, "tracking.run.name"),
        ({"run": {"name": "0123456789abcdef" * 2}}, "tracking.run.name"),
        ({"register": "no"}, "tracking.register"),
        ({"registry": {"margin": -0.1}}, "tracking.registry.margin"),
        ({"registry": {"margin": 1.0}}, "tracking.registry.margin"),
    ],
)
def test_a_wrong_setting_is_named(tracking: dict[str, Any], key: str) -> None:
    with pytest.raises(UserError, match=rf"^setting '{key}'"):
        settings(**tracking)


@pytest.mark.parametrize("name", ["my run", "latest one", "champions", "me@home", 7, None, "0123456789abcdef"])
def test_a_run_may_have_any_other_name(name: str | int | None) -> None:
    assert settings(run={"name": name}).tracking.run.name == (name if name is None else str(name))


def test_a_mistyped_setting_gets_a_hint() -> None:
    with pytest.raises(UserError, match=r"did you mean '(tracking\.)?enabled'\?"):
        settings(enbled=False)


def test_the_store_is_in_the_projects_root_unless_the_environment_or_before_it_the_configuration_names_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.tracking_uri(tmp_path, None) == f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert store.tracking_uri(tmp_path, None) == "http://127.0.0.1:5000"
    assert store.tracking_uri(tmp_path, "http://server") == "http://server"


@pytest.fixture
def uri(tmp_path: Path, empty_store: Path) -> str:
    """Of a store without runs in `tmp_path`."""
    shutil.copy(empty_store, tmp_path)
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


def test_a_store_is_created_atomically(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", mock.Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            store.client(tmp_path, store.own_uri(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db.lock"]


def test_a_new_experiment_is_made_once_and_keeps_its_artifacts_in_the_projects_root(tmp_path: Path, uri: str) -> None:
    client = store.client(tmp_path, uri)
    (experiment,) = {store.experiment_id(client, "new", tmp_path, uri) for _ in range(2)}
    assert client.get_experiment(experiment).artifact_location == (tmp_path / "mlartifacts" / "new").as_uri()


def test_an_experiment_in_another_store_keeps_its_artifacts_where_that_store_says(tmp_path: Path, uri: str) -> None:
    client = store.client(tmp_path / "project", uri)
    experiment = client.get_experiment(store.experiment_id(client, "new", tmp_path / "project", uri))
    assert str(tmp_path / "project") not in experiment.artifact_location


def test_a_deleted_experiment_is_refused_with_the_command_that_restores_it(tmp_path: Path, uri: str) -> None:
    client = store.client(tmp_path, uri)
    experiment = store.experiment_id(client, "new", tmp_path, uri)
    client.delete_experiment(experiment)
    with pytest.raises(
        UserError, match=rf"'new' is deleted; restore it \(`mlflow experiments restore -x {experiment}`"
    ):
        store.experiment_id(client, "new", tmp_path, uri)


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("mysql://u:secret@127.0.0.1/db", "No module named "),
        pytest.param("http://user:secret@127.0.0.1:9", "", marks=pytest.mark.slow),
    ],
    ids=["without its driver", "without an answer"],
)
def test_a_database_or_server_that_cannot_be_used_is_reported_without_its_password(
    tmp_path: Path, uri: str, found: str
) -> None:
    with pytest.raises(UserError, match=f"must answer, found: {found}") as raised:
        store.client(tmp_path, uri)
    assert "secret" not in str(raised.value)


def test_a_store_whose_lock_another_process_holds_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moved, "LOCK_SECONDS", 0.1)
    with FileLock(tmp_path / "mlflow.db.lock"), pytest.raises(UserError, match=r"mlflow\.db\.lock' could not be"):
        store.client(tmp_path, store.own_uri(tmp_path))


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_store_that_ends_with_the_process_is_refused(tmp_path: Path, uri: str) -> None:
    with pytest.raises(UserError, match=f"must be a file, found {uri}, which ends with this process"):
        store.client(tmp_path, uri)


def test_a_path_that_the_locale_cannot_read_is_refused_with_what_to_set() -> None:
    project = Path(os.fsdecode(b"/tmp/\xff"))  # as `Übung` is in an ASCII locale
    with pytest.raises(
        UserError, match=r"readable in the encoding of the locale, found '/tmp/\\udcff'; set PYTHONUTF8=1"
    ):
        store.prepare(project, store.own_uri(project))


NO_STORE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a text": (lambda place: place.write_text("hello"), "db must answer, found: .*tracking.enabled=false"),
    "a folder": (Path.mkdir, r"mlflow\.db must answer, found: a folder in the place of its file;"),
    "a link to a disk that is away": (
        lambda place: place.symlink_to(place.parent / "disk"),
        "must be a link to a store, found none at .*disk",
    ),
}


@pytest.mark.parametrize("what", NO_STORE)
def test_what_is_no_store_is_named_and_not_replaced(tmp_path: Path, what: str) -> None:
    make, reason = NO_STORE[what]
    make(tmp_path / "mlflow.db")
    with pytest.raises(UserError, match=reason):
        store.client(tmp_path, store.own_uri(tmp_path))
    assert (tmp_path / "mlflow.db").is_symlink() == ("link" in what)


def test_a_run_from_a_subfolder_is_recorded_in_the_projects_root(project: Project) -> None:
    assert project.invoke("--params", DIGITS, "--to-nodes", "ingest", folder="data/08_reporting").exit_code == 0
    run = project.last_run()
    assert run.info.artifact_uri.startswith((project.path / "mlartifacts").as_uri())
    assert (project.path / "mlartifacts" / "mnist-lstm" / run.info.run_id / "artifacts" / "provenance.json").is_file()
    assert list((project.path / "data/08_reporting").iterdir()) == []


CREATE = """
import sys
from pathlib import Path
from mnist_lstm.tracking import store

folder = Path(sys.argv[1])
store.client(folder, f"sqlite:///{folder / 'mlflow.db'}")
"""


@pytest.mark.slow
def test_a_store_whose_making_was_killed_is_made_anew(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CREATE, str(tmp_path)]
    for seconds in (0.0, 0.5):
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            wait_for(lambda: any(tmp_path.glob(".mnist_lstm-work-*/mlflow.db")) or (tmp_path / "mlflow.db").exists())
            time.sleep(seconds)
            process.kill()
        for left in tmp_path.glob(".mnist_lstm-work-*"):
            shutil.rmtree(left)
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    assert len(Project(tmp_path).client().search_experiments()) == 1


def test_a_command_reads_the_configuration_that_its_options_name(fakes: FakeRuns) -> None:
    (fakes.path / "conf/team").mkdir()
    (fakes.path / "conf/team/mlflow.yml").write_text("tracking: {registry: {name: ours}, experiment: {name: theirs}}\n")
    shutil.copytree(fakes.path / "conf", fakes.path / "elsewhere")
    nobody = "'latest' needs a run that has finished and trained, found none in the experiment"
    for options, experiment in {
        ("--env", "team"): "theirs",
        ("--conf-source", str(fakes.path / "elsewhere"), "--env", "team"): "theirs",
        ("--env", "team", "--params", "tracking.experiment.name=mine"): "mine",
        (): "mnist-lstm",
    }.items():
        with contextlib.chdir(fakes.path):
            assert f"{nobody} '{experiment}'" in fakes.invoke("latest", "latest", *options).output
    assert "--params must be tracking.* for this command" in fakes.invoke("latest", "--params", "model.cell=gru").output
    with contextlib.chdir(fakes.path):
        assert "--env must be a folder of conf/" in fakes.invoke("latest", "--env", "taem").output


def test_the_configuration_of_a_run_counts_for_the_models_that_it_names(fakes: FakeRuns) -> None:
    data = yaml.safe_load(PARAMETERS.read_text())["data"]["name"]
    assert store.opened(fakes.path).registered_model == f"{data}-lstm"
    loader = {"mlflow": MLFLOW, "parameters": {"data": {"name": "mnist"}, "tracking": {"registry": {"name": "ours"}}}}
    store.configure(fakes.path, loader)
    assert store.opened(fakes.path).registered_model == "ours"


def test_a_parent_that_is_no_run_is_refused_before_a_run_starts(fakes: FakeRuns) -> None:
    parent = fakes.record("study", wrong=None)
    about = start.run_provenance(fakes.path, checked(yaml.safe_load(PARAMETERS.read_text())), {"env": None})
    for named, found in ((parent, parent), ("study", parent), (2024, None)):
        loader = {"mlflow": MLFLOW, "parameters": {"tracking": {"run": {"parent": named}}}}
        with (
            pytest.raises(UserError, match=r"'tracking\.run\.parent': .* none called '2024'")
            if not found
            else contextlib.nullcontext()
        ):
            spool = start._spool(fakes.path, read_settings(loader), "child", about)
            assert fakes.client.get_run(spool.run_id).data.tags["mlflow.parentRunId"] == found


@pytest.mark.parametrize(
    ("given", "recorded"), [("mine.npz", "docs/mine.npz"), ("../mine.npz", "mine.npz"), ("~/mine.npz", "~/mine.npz")]
)
def test_a_path_of_ones_own_is_recorded_from_the_project_on_wherever_the_run_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, recorded: str
) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path / "docs")
    values = yaml.safe_load(PARAMETERS.read_text())
    values["data"]["path"] = given
    about = start.run_provenance(tmp_path, checked(values), {"env": None})
    assert about["parameters"]["data"]["path"] == recorded


@pytest.mark.parametrize(("answer", "is_refused"), [("2.22.0", True), ("3.17.2", False), ("<html>sign in", False)])
def test_a_server_too_old_for_models_is_refused_before_a_run_starts(
    monkeypatch: pytest.MonkeyPatch, answer: str, is_refused: bool
) -> None:
    monkeypatch.setattr("mlflow.utils.rest_utils.http_request", lambda *_: SimpleNamespace(text=answer))
    with (
        pytest.raises(UserError, match=r"version 3 or later.*found 2\.22\.0")
        if is_refused
        else contextlib.nullcontext()
    ):
        store._expect_version("http://127.0.0.1:5000")


def test_the_store_looks_for_the_name_under_which_a_model_is_registered(fakes: FakeRuns) -> None:
    """MLflow refuses colons, which a file of one's own may have in its name."""
    data = {"name": "mnist", "path": "my:letters.npz"}
    registry = {"registry": {"name": "mnist-lstm-{data}"}}
    store.configure(fakes.path, {"mlflow": MLFLOW, "parameters": {"data": data, "tracking": registry}})
    assert store.opened(fakes.path).registered_model == "mnist-lstm-my-letters"
