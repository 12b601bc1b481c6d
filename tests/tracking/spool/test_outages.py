"""If MLflow does not answer, at the start or during a run, nothing is lost: `kedro sync-runs` sends the rest."""

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlflow
import numpy as np
import pytest
import requests

from mnist_lstm import processes
from mnist_lstm.core.data.sequences import pixel_order_for
from mnist_lstm.core.model.classifier import new_classifier
from mnist_lstm.core.model.export import ExportedModel, ImageClassifier
from mnist_lstm.core.report.facts import which
from mnist_lstm.parameters import Parameters
from mnist_lstm.tracking import store
from mnist_lstm.tracking.pages import EXPERIMENT_TAGS
from mnist_lstm.tracking.registry import DECISION, VERSION
from mnist_lstm.tracking.spool import operations, outages, spool, unsent
from tests.support.projects import (
    CLOSED,
    DIGITS,
    LONGEST,
    PLAIN,
    Project,
    copied,
    free_port,
    made_once,
    surroundings,
    wait_for,
)

MLFLOW = str(Path(sys.executable).with_name("mlflow"))


def answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def server(folder: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """MLflow's own server on a store in a folder, until the end or until it is killed."""
    places = ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--artifacts-destination", str(folder / "a")]
    command = [MLFLOW, "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", *places]
    with (folder / "server.txt").open("w") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=surroundings(), stdout=output, stderr=output, start_new_session=True
        )
    try:
        wait_for(lambda: answers(port) or process.poll() is not None)
        yield process
    finally:
        stop(process)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Kills the server and the processes below it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def silent(port: int) -> Iterator[None]:
    """A server that takes connections and never answers."""
    with closing(socket.create_server(("127.0.0.1", port), backlog=100)):
        yield


def facts(client: Any, run: Any) -> dict[str, Any]:
    """What a run's record holds, but for what differs between any two runs."""
    history = client.get_metric_history(run.info.run_id, "train/loss")
    return {
        "status": run.info.status,
        "name": run.info.run_name,
        "params": run.data.params,
        "metrics": run.data.metrics,
        "curve": sorted((point.step, point.value) for point in history),
        "tags": {key for key in run.data.tags if key not in ("continues", "mlflow.log-model.history")},
        "inputs": {each.dataset.name: each.dataset.digest for each in run.inputs.dataset_inputs},
        "models": len(run.outputs.model_outputs),
        "artifacts": {file.path for file in client.list_artifacts(run.info.run_id)},
        "weights": run.data.tags["weights.sha256"],
    }


def complete(project: Project) -> dict[str, Any]:
    """The record of the project's last run, in its own store."""
    return facts(project.client(), project.last_run())


@pytest.fixture(scope="module")
def expected(short: Project) -> dict[str, Any]:
    """The record of a run without an outage, which stores nothing."""
    assert not (short.path / unsent.FOLDER).exists()
    return complete(short)


def runs(uri: str) -> tuple[Any, list[Any]]:
    """A client of a server, and the runs that it has, newest first."""
    client: Any = mlflow.MlflowClient(uri)
    return client, list(client.search_runs([client.get_experiment_by_name("mnist-lstm").experiment_id]))


def sync(project: Project, **environment: str) -> Any:
    """`kedro sync-runs`; the output is without the terminal's line breaks and indents."""
    done = project.call("sync-runs", **environment)
    return SimpleNamespace(exit_code=done.exit_code, output="".join(done.output.split()))


def waiting(project: Project) -> list[Path]:
    return list((project.path / unsent.FOLDER).glob("*/run.json"))


def results(project: Project) -> bool:
    return bool(project.checkpoints()) and (project.path / "data/08_reporting/metrics.json").exists()


def test_a_silent_server_is_reported_within_ten_seconds() -> None:
    assert max(outages.SLOW, spool.SLOW_MODEL) < 10
    assert float(store.ENVIRONMENT["MLFLOW_HTTP_REQUEST_TIMEOUT"]) < 10
    assert store.ENVIRONMENT["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "0"


@pytest.mark.parametrize(("view", "warned"), [("rows", True), ("pixels", False)])
def test_the_export_of_a_long_sequence_is_not_reported_as_silence(
    parameters: Parameters,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    view: str,
    warned: bool,
) -> None:
    pixel_order = pixel_order_for(parameters.sequence.model_copy(update={"view": view}), 28, 28)
    classifier = ImageClassifier(new_classifier(parameters.model, pixel_order.shape, 10, seed=1), pixel_order)
    monkeypatch.setattr(spool, "SLOW_MODEL", 0.05)
    monkeypatch.setattr(spool, "EXPORT_PER_STEP", 0.01)
    monkeypatch.setitem(operations.SENDERS, "model", lambda *_: time.sleep(0.6))
    made = spool.Spool(tmp_path, lambda: None, object(), {"start_time": 1, "process": {"pid": 1}})
    made.put("model", exported=ExportedModel(classifier, np.zeros((2, 28, 28), np.uint8)), name="model")
    assert ("MLflow has not answered" in caplog.text) == warned


@pytest.mark.slow
def test_where_a_server_dies_in_mid_run_is_away_or_silent_training_ends_well_and_all_is_sent_later(
    project: Project, empty_store: Path, tmp_path_factory: pytest.TempPathFactory, expected: dict[str, Any]
) -> None:
    port, folder = free_port(), tmp_path_factory.mktemp("server")
    (folder / "mlflow.db").write_bytes(empty_store.read_bytes())
    uri = {"MLFLOW_TRACKING_URI": f"http://user:secret@127.0.0.1:{port}"}
    words = "data.name=digits,training.iterations=500,training.report_seconds=0.0"
    with server(folder, port) as process:
        running = project.start_training("--params", words, *PLAIN, **uri)
        stop(process)
        assert running.wait(LONGEST) == 0, (project.path / "output.txt").read_text()
    outputs = [(project.path / "output.txt").read_text()]
    assert (results(project), len(waiting(project))) == (True, 1)
    for outage in (nullcontext(), silent(port)):
        with outage:
            done = project.invoke("--params", DIGITS, *PLAIN, **uri, MLFLOW_HTTP_REQUEST_TIMEOUT="2")
        assert done.exit_code == 0, done.output
        outputs.append(done.output)
    assert ["kedro sync-runs" in output for output in outputs] == [True] * 3
    assert len(waiting(project)) == 3
    assert "secret" not in "".join(outputs + [path.read_text() for path in waiting(project)])
    with server(folder, port):
        assert "3runsarecompleteinMLflownow;0wait" in sync(project, **uri).output
        client, found = runs(uri["MLFLOW_TRACKING_URI"])
        silenced, refused, died = [facts(client, run) for run in found]
        champion = client.get_model_version_by_alias("digits-lstm", "champion").run_id
    assert silenced == refused == expected | {"tags": expected["tags"] - {DECISION, VERSION}}
    assert (died["status"], died["models"], len(died["curve"])) == ("FINISHED", 1, 50)
    assert {"checkpoint.pt", "predictions.npz", "provenance.json"} <= died["artifacts"]
    assert "reason" not in died["tags"]
    assert (champion, DECISION in died["tags"]) == (found[2].info.run_id, True), "it trained longest"
    assert waiting(project) == []


@contextmanager
def locked(database: Path, kind: str) -> Iterator[None]:
    """A long transaction of another process."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute(f"BEGIN {kind}")
    try:
        yield
    finally:
        connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["EXCLUSIVE", "IMMEDIATE"])  # for reading too, for writing alone
def test_a_store_locked_for_long_gets_the_complete_run_when_it_is_free_again(
    project: Project, expected: dict[str, Any], kind: str
) -> None:
    project.client().create_experiment("mnist-lstm", tags=EXPERIMENT_TAGS)
    with locked(project.path / "mlflow.db", kind):
        done = project.invoke("--params", DIGITS, *PLAIN)
    assert done.exit_code == 0, done.output
    assert f"MLflow has not answered for {outages.SLOW:g} s" in " ".join(done.output.split())
    assert len(waiting(project)) == 1
    assert sync(project).exit_code == 0
    assert complete(project) == expected


@pytest.fixture(scope="session")
def unsent_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of which MLflow received nothing; tests only read it."""

    def make(folder: Path) -> None:
        closed = copied(folder).invoke("--params", DIGITS, *PLAIN, MLFLOW_TRACKING_URI=CLOSED)
        assert closed.exit_code == 0, closed.output

    (run,) = waiting(Project(made_once(tmp_path_factory, "unsent", make)))
    return run.parent


@pytest.fixture
def stored(project: Project, unsent_run: Path) -> Path:
    """The same in the project, to be sent to its own store by this process."""
    folder = project.path / unsent.FOLDER / unsent_run.name
    shutil.copytree(unsent_run, folder)
    changed(folder, store=f"sqlite:///{project.path / 'mlflow.db'}", process=processes.process())
    return folder


def test_a_stored_run_is_sent_completely(project: Project, stored: Path, expected: dict[str, Any]) -> None:
    assert sync(project).exit_code == 0
    assert complete(project) == expected
    assert not stored.exists()


def test_a_run_that_was_sent_in_part_is_sent_completely_and_once(
    project: Project, stored: Path, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(mlflow.MlflowClient, "log_artifacts", fails)
        assert sync(project).exit_code == 1
    assert sync(project).exit_code == 0
    assert len(project.runs()) == 1
    assert complete(project) == expected


def fails(*_: Any, **__: Any) -> None:
    raise requests.ConnectionError("the server is gone again")


def changed(folder: Path, **about: Any) -> None:
    """Changes run.json."""
    run = folder / unsent.RUN
    run.write_text(json.dumps(json.loads(run.read_text()) | about))


def without(folder: Path, *kinds: str) -> None:
    """Removes stored operations of these kinds."""
    stored = folder / unsent.CALLS
    lines = stored.read_text().splitlines(keepends=True)
    stored.write_text("".join(line for line in lines if json.loads(line)[0] not in kinds))


MODEL = ("model", "register")  # operations that take seconds, where a test is of the others
GONE = {"pid": "1", "started": "0.00"}  # identifies no process


def ends(folder: Path, pid: int, **about: Any) -> None:
    """Names another process as the one that writes the run."""
    changed(folder, process=processes.process() | {"pid": str(pid), "started": processes.started(pid)}, **about)


WAITS: dict[str, tuple[Callable[[Path], None], str]] = {
    "another store": (lambda run: changed(run, store="http://else"), "it belongs to another store, http://else."),
    "not ended": (lambda run: without(run, "end", "register"), ""),
    "its process lives": (lambda run: ends(run, os.getppid()), ""),
    "gone from MLflow": (
        lambda run: changed(run, run_id="0" * 32),
        f"MLflow did not accept it: Run with id={'0' * 32} not found",
    ),
}


@pytest.mark.parametrize("why", WAITS)
def test_a_run_that_cannot_be_sent_waits_and_is_named_with_the_reason(project: Project, stored: Path, why: str) -> None:
    change, reason = WAITS[why]
    change(stored)
    done = sync(project)
    assert done.exit_code == 1
    assert "".join(f"{stored} waits: {reason}".split()) in done.output
    assert stored.exists()


def truncated(folder: Path) -> None:
    """Appends half an operation."""
    calls = folder / unsent.CALLS
    calls.write_text(calls.read_text() + '["tag", {"key": "ha')


@pytest.mark.parametrize(
    "change", [truncated, lambda run: changed(run, store="sqlite:////before/mlflow.db", own=True)], ids=["cut", "moved"]
)
def test_a_truncated_last_line_is_ignored_and_a_run_of_the_projects_own_store_sent_after_it_moved(
    project: Project, stored: Path, change: Callable[[Path], None]
) -> None:
    without(stored, *MODEL)
    change(stored)
    assert sync(project).exit_code == 0
    assert project.last_run().info.status == "FINISHED"


def test_a_run_that_was_killed_in_an_outage_is_sent_as_far_as_it_went(project: Project, stored: Path) -> None:
    without(stored, "artifacts", "end", "register")
    shutil.rmtree(stored / "artifacts")
    tags = json.loads((stored / unsent.RUN).read_text())["tags"] | {"process": json.dumps(processes.process() | GONE)}
    changed(stored, process=processes.process() | GONE, tags=tags)
    assert sync(project).exit_code == 0
    assert (project.last_run().info.status, len(project.last_run().outputs.model_outputs)) == ("KILLED", 1)


@pytest.mark.parametrize("name", ["model.npz", "run.json"])
def test_a_damaged_folder_stops_neither_a_run_nor_other_folders(project: Project, stored: Path, name: str) -> None:
    damaged = stored.with_name("0-damaged")
    shutil.copytree(stored, damaged)
    (damaged / name).write_bytes(b"{")
    without(stored, *MODEL)
    done = project.invoke("--params", DIGITS, "--to-nodes", "ingest")
    assert done.exit_code == 0
    assert f"{damaged}waits:itisdamaged" in "".join(done.output.split())
    assert "delete the folder" in " ".join(done.output.split())
    assert (stored.exists(), damaged.exists()) == (False, True)


def test_sync_runs_ends_dead_runs(project: Project) -> None:
    client = project.client()
    experiment = client.create_experiment("mnist-lstm", tags=EXPERIMENT_TAGS)
    gone = processes.process() | GONE
    client.create_run(experiment, tags={f"process.{key}": value for key, value in gone.items()})
    done = sync(project)
    assert (done.exit_code, "0runsarecompleteinMLflownow;0wait" in done.output) == (0, True)
    assert project.last_run().info.status == "KILLED"


def test_a_model_that_was_registered_before_a_crash_is_not_registered_again(
    project: Project, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", fails)
        assert sync(project).exit_code == 1
    assert sync(project).exit_code == 0
    assert len(project.client().search_model_versions("name='digits-lstm'")) == 1


@pytest.mark.parametrize("call", ["get_experiment_by_name", "create_run"])
def test_a_store_that_can_be_read_and_not_written_costs_no_training(
    project: Project, monkeypatch: pytest.MonkeyPatch, call: str, expected: dict[str, Any]
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(mlflow.MlflowClient, call, locks)
        done = project.invoke("--params", DIGITS, *PLAIN)
    assert done.exit_code == 0, done.output
    assert results(project)
    assert sync(project).exit_code == 0
    assert complete(project) == expected


def test_what_a_run_continues_is_known_after_an_outage_too(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("mnist_lstm.core.model.export.ImageClassifier.__init__", fails)
        project.invoke("--params", DIGITS, *PLAIN)
    with monkeypatch.context() as patched:
        patched.setattr(mlflow.MlflowClient, "create_run", locks)
        assert project.invoke("--params", f"{DIGITS},training.resume=true", *PLAIN).exit_code == 0
    assert sync(project).exit_code == 0
    resumed, failed = project.runs()
    assert (failed.info.status, resumed.data.tags["continues"]) == ("FAILED", failed.info.run_id)


def locks(*_: Any, **__: Any) -> None:
    raise mlflow.MlflowException("(sqlite3.OperationalError) database is locked")


def test_imports_and_creating_the_store_are_not_reported_as_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers: list[bool] = []

    def made(database: Path, make: Any = store._create) -> None:
        timers.append(any(isinstance(each, threading.Timer) for each in threading.enumerate()))
        make(database)

    monkeypatch.setattr(store, "_create", made)
    assert copied(tmp_path).invoke("--params", DIGITS, "--to-nodes", "ingest").exit_code == 0
    assert timers == [False]


@pytest.mark.parametrize(
    ("run_id", "words"),
    [("a1", "Run a1 of today."), ("", "not yet in MLflow when this was written"), (None, "not recorded by MLflow")],
)
def test_the_report_says_where_the_run_is(run_id: str | None, words: str) -> None:
    run = SimpleNamespace(provenance={"run": {"id": run_id, "date": "today"}})
    assert words in which(run)  # type: ignore[arg-type]
