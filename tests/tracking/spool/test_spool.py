"""What the spool does where MLflow refuses, fails or takes too long: the run goes on, and what is missing is stored."""

import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import click
import pytest
from mlflow.exceptions import MlflowException
from requests import ConnectionError as Unreachable

from mnist_lstm.command import one_line_errors
from mnist_lstm.tracking.spool import earlier_runs, operations, outages, unsent
from mnist_lstm.tracking.spool.spool import Spool

RUN = {"run_id": "1", "start_time": 1, "process": {"pid": 1}}


def made(folder: Path, monkeypatch: pytest.MonkeyPatch, send: Callable[[], Any]) -> Spool:
    """The spool of a run whose operations `send` sends."""
    monkeypatch.setattr(operations, "send", lambda *_: send())
    return Spool(folder, lambda: None, object(), RUN)


FAILURES = {
    "a server that is away": (Unreachable("no route"), "did not answer: ConnectionError: no route"),
    "a proxy before it": (MlflowException("error code 503 != 200"), "did not answer: error code 503 != 200"),
    "a refusal": (MlflowException("error code 403 != 200"), "did not accept it: error code 403 != 200"),
    "a full artifact store": (OSError(28, "No space left"), "did not accept it: OSError: "),
}


@pytest.mark.parametrize(("error", "words"), FAILURES.values(), ids=FAILURES)
def test_a_failure_costs_no_training_and_says_what_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception, words: str
) -> None:
    run = made(tmp_path, monkeypatch, mock.Mock(side_effect=error))
    run.put("tag", key="a", value="b")
    assert not run.complete
    assert f"MLflow {words}" in caplog.text
    assert list((tmp_path / unsent.FOLDER).glob("*"))


def test_an_error_of_mlflow_that_a_command_meets_is_one_line() -> None:
    reason = "(sqlite3.OperationalError) attempt to write a readonly database"
    autoflush = MlflowException(f"{outages.AUTOFLUSH}{reason}\n[SQL: INSERT]")
    with pytest.raises(click.ClickException) as raised, one_line_errors():
        raise RuntimeError("Kedro says so") from autoflush
    assert str(raised.value) == f"MLflow did not accept it: {reason}. Repair it, or choose another store."
    with pytest.raises(ZeroDivisionError), one_line_errors():
        1 / 0  # noqa: B018


@pytest.mark.parametrize(("seconds", "given_up"), [(5.0, True), (0.01, False)])
def test_a_server_that_is_slow_in_sum_is_given_up_and_not_waited_for_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, seconds: float, given_up: bool
) -> None:
    now, calls = [0.0], []
    monkeypatch.setattr("mnist_lstm.tracking.spool.spool.time.monotonic", lambda: now[0])

    def slow() -> None:
        calls.append(now[0])
        now[0] += seconds

    run = made(tmp_path, monkeypatch, slow)
    for _ in range(40):
        now[0] += 1  # of training
        run.put("tag", key="a", value="b")
    run.end("FINISHED")
    assert run.complete != given_up
    assert ("MLflow is too slow" in caplog.text) == given_up
    assert (len(calls) < 20) == given_up
    assert bool(list((tmp_path / unsent.FOLDER).glob("*"))) == given_up


def test_a_run_does_not_wait_for_a_slow_server_to_take_what_earlier_runs_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now, place = [0.0], tmp_path / unsent.FOLDER
    monkeypatch.setattr("mnist_lstm.tracking.spool.unsent.time.monotonic", lambda: now[0])
    monkeypatch.setattr(operations, "send", lambda *_: now.__setitem__(0, now[0] + 5))
    dead = {"host": platform.node(), "boot": "another", "pid": "1", "started": "1"}
    for name in ("a", "b"):
        unsent.write_run(place / name, RUN | {"store": "s", "experiment_id": "1", "process": dead})
        for _ in range(10):
            unsent.append(place / name, operations.Operation("tag", {"key": "a", "value": "b"}))
    monkeypatch.setattr(earlier_runs, "end_dead_runs", lambda *_: None)
    assert earlier_runs.settle(tmp_path, object(), "s", "1", seconds=60) == (1, 1)
    assert now[0] == pytest.approx(65)
    assert "as MLflow is slow: `kedro sync-runs`" in caplog.text
    assert earlier_runs.settle(tmp_path, object(), "s", "1") == (1, 0)


def test_files_that_mlflow_did_not_take_are_sent_as_they_were(tmp_path: Path) -> None:
    files, sent = {"provenance.json": b"{}", "report/report.html": b"<p>"}, {}

    class Client:
        def log_artifacts(self, _: str, folder: str) -> None:
            paths = [path for path in Path(folder).rglob("*") if path.is_file()]
            sent.update({str(path.relative_to(folder)): path.read_bytes() for path in paths})

    waits = operations.stored(operations.Operation("artifacts", {"files": files}), tmp_path)
    assert waits.content == {}
    operations.send(Client(), RUN, operations.restored(waits, tmp_path))
    assert sent == files


def test_files_that_are_gone_are_not_taken_for_sent(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        operations.restored(operations.Operation("artifacts", {}), tmp_path)
