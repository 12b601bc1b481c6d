"""MLflow does not answer, at the start or in mid-run: nothing is lost, and `kedro sync-runs` sends what it missed."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import mlflow
import pytest
import requests

from mnist_lstm.tracking import outbox, store, unsent
from tests.projects import DIGITS, LONGEST, Project, copied, surroundings, wait_for

pytest_plugins = ["tests.projects"]

MLFLOW = str(Path(sys.executable).with_name("mlflow"))
PLAIN = ("--pipelines", "without_figures")
LOCKED = 26.0  # seconds


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]  # type: ignore[no-any-return]


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
        process = subprocess.Popen(command, env=surroundings(), stdout=output, stderr=output, start_new_session=True)
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
def expected(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> dict[str, Any]:
    """The record of a run without an outage."""
    project = copied(tmp_path_factory.mktemp("expected"))
    (project.path / "mlflow.db").write_bytes(empty_store.read_bytes())
    assert project.invoke("--params", DIGITS, *PLAIN).exit_code == 0
    return complete(project)


def runs(uri: str) -> tuple[Any, list[Any]]:
    """A client of a server, and the runs that it has, newest first."""
    client: Any = mlflow.MlflowClient(uri)
    return client, list(client.search_runs([client.get_experiment_by_name("mnist-lstm").experiment_id]))


def waiting(project: Project) -> list[Path]:
    return list((project.path / unsent.FOLDER).glob("*/run.json"))


def results(project: Project) -> bool:
    return bool(project.checkpoints()) and (project.path / "data/08_reporting/metrics.json").exists()


def test_silence_is_told_within_ten_seconds() -> None:
    assert outbox.SLOW < 10
    assert float(store.ENVIRONMENT["MLFLOW_HTTP_REQUEST_TIMEOUT"]) < 10
    assert store.ENVIRONMENT["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "0"


@pytest.mark.slow
@pytest.mark.parametrize("outage", ["refused", "silent"])
def test_where_no_server_answers_training_ends_well_and_the_run_is_sent_later(
    project: Project, empty_store: Path, tmp_path_factory: pytest.TempPathFactory, outage: str, expected: dict[str, Any]
) -> None:
    port, folder = free_port(), tmp_path_factory.mktemp("server")
    (folder / "mlflow.db").write_bytes(empty_store.read_bytes())
    uri = {"MLFLOW_TRACKING_URI": f"http://user:secret@127.0.0.1:{port}"}
    if outage == "silent":
        with silent(port):
            done = project.invoke("--params", DIGITS, *PLAIN, **uri)
    else:
        done = project.invoke("--params", DIGITS, *PLAIN, **uri)
    assert done.exit_code == 0, done.output
    assert "kedro sync-runs" in done.output
    assert results(project)
    assert len(waiting(project)) == 1
    assert "secret" not in done.output + "".join(path.read_text() for path in waiting(project))
    with server(folder, port):
        synced = project.call("sync-runs", **uri)
        assert synced.output.splitlines()[-1].startswith("1 runs are complete in MLflow now; 0 wait")
        client, (run,) = runs(uri["MLFLOW_TRACKING_URI"])
        assert facts(client, run) == expected
        assert client.get_model_version_by_alias("mnist-lstm", "champion").run_id == run.info.run_id
    assert waiting(project) == []


@pytest.mark.slow
def test_what_a_server_that_died_in_mid_run_missed_is_sent_by_the_next_run(
    project: Project, empty_store: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    port, folder = free_port(), tmp_path_factory.mktemp("server")
    (folder / "mlflow.db").write_bytes(empty_store.read_bytes())
    uri = {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port}"}
    words = "data.name=digits,training.iterations=2000,training.report_seconds=0.0"
    with server(folder, port) as process:
        running = project.start_training("--params", words, *PLAIN, **uri)
        stop(process)
        assert running.wait(LONGEST) == 0, (project.path / "output.txt").read_text()
    assert results(project)
    assert len(waiting(project)) == 1
    with server(folder, port):
        assert project.invoke("--params", DIGITS, "--to-nodes", "ingest", **uri).exit_code == 0
        client, (_, run) = runs(uri["MLFLOW_TRACKING_URI"])
        found = facts(client, run)
    assert (found["status"], found["models"], len(found["curve"])) == ("FINISHED", 1, 200)
    assert {"checkpoint.pt", "predictions.npz", "provenance.json"} <= found["artifacts"]
    assert "reason" not in found["tags"]
    assert waiting(project) == []


@contextmanager
def locked(database: Path, seconds: float) -> Iterator[None]:
    """Another process's long transaction, as it were."""
    connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN EXCLUSIVE")
    release = threading.Timer(seconds, connection.rollback)
    release.start()
    try:
        yield
    finally:
        release.join()
        connection.close()


@pytest.mark.slow
def test_a_store_locked_for_long_gets_the_whole_run_when_it_is_free_again(
    project: Project, expected: dict[str, Any]
) -> None:
    project.client().create_experiment("mnist-lstm", tags=store.EXPERIMENT_TAGS)
    with locked(project.path / "mlflow.db", LOCKED):
        done = project.invoke("--params", DIGITS, *PLAIN)
    assert done.exit_code == 0, done.output
    assert f"MLflow has not answered for {outbox.SLOW:g} s" in " ".join(done.output.split())
    if waiting(project):
        assert project.call("sync-runs").exit_code == 0
    assert complete(project) == expected


def test_a_run_without_an_outage_keeps_nothing(finished: Project) -> None:
    assert not (finished.path / unsent.FOLDER).exists()


@pytest.fixture
def kept(project: Project) -> Path:
    """The folder of a run that was kept whole, for a store that is the project's own."""
    closed = project.invoke("--params", DIGITS, *PLAIN, MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    assert closed.exit_code == 0, closed.output
    (run,) = waiting(project)
    about = json.loads(run.read_text())
    run.write_text(json.dumps(about | {"store": f"sqlite:///{project.path / 'mlflow.db'}"}))
    return run.parent


def test_a_run_that_was_kept_is_sent_whole(project: Project, kept: Path, expected: dict[str, Any]) -> None:
    assert project.call("sync-runs").exit_code == 0
    assert complete(project) == expected
    assert not kept.exists()


def test_a_run_that_was_sent_in_part_is_sent_whole_once(
    project: Project, kept: Path, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(mlflow.MlflowClient, "log_artifacts", fails)
        assert project.call("sync-runs").exit_code == 1
    assert project.call("sync-runs").exit_code == 0
    assert len(project.runs()) == 1
    assert complete(project) == expected


def fails(*_: Any) -> None:
    raise requests.ConnectionError("the server is gone again")


def test_a_run_of_another_store_waits(project: Project, kept: Path) -> None:
    about = json.loads((kept / "run.json").read_text())
    (kept / "run.json").write_text(json.dumps(about | {"store": "http://elsewhere"}))
    assert project.call("sync-runs").exit_code == 1
    assert kept.exists()


def test_a_run_that_still_goes_on_waits(project: Project, kept: Path) -> None:
    lines = (kept / "calls.jsonl").read_text().splitlines(keepends=True)
    (kept / "calls.jsonl").write_text("".join(line for line in lines if not line.startswith('["end"')))
    assert project.call("sync-runs").exit_code == 1


def test_a_last_call_that_a_kill_cut_short_is_left_out(project: Project, kept: Path) -> None:
    with (kept / "calls.jsonl").open("a") as file:
        file.write('["tag", {"key": "ha')
    assert project.call("sync-runs").exit_code == 0


def test_where_nothing_was_missed_there_is_nothing_to_send(project: Project) -> None:
    done = project.call("sync-runs")
    assert done.exit_code == 0
    assert done.output.startswith("0 runs are complete in MLflow now; 0 wait")
