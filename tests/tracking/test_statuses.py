import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, NoReturn
from unittest import mock

import psutil
import pytest

from mnist_lstm import processes, provenance
from mnist_lstm.datasets.npz import ImagesDataset
from mnist_lstm.errors import UserError
from mnist_lstm.settings import tracking
from mnist_lstm.tracking.hook import Tracking
from mnist_lstm.tracking.spool.earlier_runs import end_dead_runs
from tests.support.projects import DIGITS, LONGEST, Project, surroundings

LONG = "data.name=digits,training.iterations=100000000"


def status(project: Project) -> tuple[str, str | None]:
    """The last run's status, and its reason."""
    run = project.last_run()
    return run.info.status, run.data.tags.get("reason")


@pytest.mark.parametrize("users", [False, True])
def test_a_run_that_an_error_ends_is_failed_with_the_error_or_the_users_mistake_from_the_projects_root_as_reason(
    project: Project, monkeypatch: pytest.MonkeyPatch, users: bool
) -> None:
    file, words = "data/02_intermediate/train_images.npz", "must be writable; mend that."

    def fail(*_: Any) -> NoReturn:
        raise RuntimeError("no such pixel") from (UserError(f"{project.path / file} {words}") if users else None)

    monkeypatch.setattr(ImagesDataset, "save", fail)
    project.invoke("--params", DIGITS)
    assert status(project) == ("FAILED", f"{file} {words}" if users else "no such pixel")


def test_what_was_read_of_the_code_at_the_start_counts_and_a_change_meanwhile_is_reported(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after `git checkout` of another commit while a run trains."""
    code = provenance.code(project.path)
    versions = [code | {"commit": "a" * 40}, code | {"commit": "b" * 40, "dirty": None}]
    monkeypatch.setattr(provenance, "code", lambda _: versions.pop(0))
    done = project.invoke("--params", DIGITS, "--to-nodes", "ingest")
    assert done.exit_code == 0, done.output
    tags = project.last_run().data.tags
    assert (tags["mlflow.source.git.commit"], tags["code.changed"]) == ("a" * 40, "commit was aaaaaaaa, is bbbbbbbb")
    for_report = tracking.before_node_run({"provenance": {"run": {}, "git": code | {"commit": "b" * 40}}})
    assert for_report
    assert for_report["provenance"]["git"]["commit"] == "a" * 40
    assert "The code changed while the run went on" in " ".join(done.output.split())


def test_a_run_that_diverges_fails_in_one_line_and_keeps_its_checkpoint_and_the_curves_until_then(
    project: Project,
) -> None:
    every = "training.log_every=1,training.report_seconds=0.0"
    done = project.invoke("--params", f"{DIGITS},training.learning_rate=1e36,{every}")
    assert done.exit_code == 1
    last = done.output.splitlines()[-1]
    assert "training.learning_rate (now 1e+36)" in last
    found = re.search(r"must stay finite, found .* at update (\d+);", last)
    assert found  # at which update depends on the processor's arithmetic, but not at the first
    assert status(project) == ("FAILED", last.removeprefix("Error: "))
    run_id = project.last_run().info.run_id
    points = project.client().get_metric_history(run_id, "train/loss")
    assert [point.step for point in points] == list(range(1, int(found[1])))
    recorded = {file.path for file in project.client().list_artifacts(run_id)}
    assert points
    assert recorded == {"checkpoint.pt", "provenance.json"}
    assert project.invoke("--params", DIGITS, "--to-nodes", "ingest").exit_code == 0, "the next run is another one"
    assert [run.info.status for run in project.runs()] == ["FINISHED", "FAILED"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 1), (signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGHUP, 128 + signal.SIGHUP)],
    ids=["SIGINT", "SIGTERM", "SIGHUP"],
)
def test_a_run_that_a_signal_ends_is_killed_has_its_checkpoint_and_says_how_to_continue(
    project: Project, number: signal.Signals, code: int
) -> None:
    process = project.start_training("--params", LONG)
    process.send_signal(number)
    assert process.wait(LONGEST) == code
    assert status(project) == ("KILLED", number.name)
    run_id = project.last_run().info.run_id
    assert {file.path for file in project.client().list_artifacts(run_id)} == {"checkpoint.pt", "provenance.json"}
    output = (project.path / "output.txt").read_text()
    assert f"kedro run --params {LONG},training.resume=true" in output
    assert "Traceback" not in output


EXIT = """
import sys
from mnist_lstm.datasets.npz import ImagesDataset

ImagesDataset.save = lambda *_: sys.exit(3)
sys.argv[0] = "kedro"
from kedro.framework.cli import main

main()
"""


@pytest.mark.slow
def test_a_run_that_exits_half_way_is_failed(project: Project) -> None:
    command = [sys.executable, "-c", EXIT, "run", "--params", DIGITS]
    done = subprocess.run(command, cwd=project.path, env=surroundings(), stdin=subprocess.DEVNULL)
    assert done.returncode == 3
    assert status(project) == ("FAILED", "the process ended before the pipeline did")


@pytest.fixture
def dead() -> dict[str, str]:
    """`processes.process` of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return processes.process() | {"pid": str(process.pid)}


@pytest.fixture
def zombie() -> Iterator[dict[str, str]]:
    """The same of a process that has ended but was not waited for."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    process_facts = processes.process() | {"pid": str(process.pid), "started": processes.started(process.pid)}
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    yield process_facts
    process.wait()


@pytest.mark.parametrize(
    ("change", "dead"),
    [({}, False), ({"started": "1"}, True), ({"boot": "an earlier one"}, True), ({"namespace": "pid:[1]"}, False)],
    ids=["this process", "one with its number before it", "one of an earlier boot", "one that cannot be seen"],
)
def test_a_process_is_identified_by_its_start_and_boot(change: dict[str, str], dead: bool) -> None:
    assert processes.is_dead(processes.process() | change) is dead


def test_a_step_of_the_clock_does_not_make_a_process_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    before, real = processes.process(), psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: real(self) + 3600)
    assert not processes.is_dead(before)


def test_a_process_recorded_by_version_0_1_0_is_alive_while_its_number_is(dead: dict[str, str]) -> None:
    old = {key: value for key, value in processes.process().items() if key != "namespace"} | {"started": "17.25"}
    assert not processes.is_dead(old)
    assert processes.is_dead(old | {"pid": dead["pid"]})


def test_a_process_that_runs_no_more_and_a_zombie_are_dead_and_none_of_another_machine_is(
    dead: dict[str, str], zombie: dict[str, str]
) -> None:
    assert processes.is_dead(dead)
    assert processes.is_dead(zombie)
    assert not processes.is_dead(dead | {"host": "elsewhere", "boot": "another"})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "KILLED"),
        ({"ended": "FINISHED"}, "FINISHED"),
        ({"host": "elsewhere"}, "RUNNING"),
        ({"pid": str(os.getpid()), "started": processes.process()["started"]}, "RUNNING"),
        (None, "RUNNING"),
    ],
    ids=["dead", "ended before", "of another machine", "alive", "not of this project"],
)
def test_only_a_dead_run_of_this_machine_is_ended_by_the_next(
    project: Project, dead: dict[str, str], change: dict[str, str] | None, expected: str
) -> None:
    client = project.client()
    experiment = client.create_experiment("mnist-lstm")
    process = {} if change is None else dead | change
    ended = process.pop("ended", None)
    run = client.create_run(experiment, tags={f"process.{key}": value for key, value in process.items()})
    if ended:
        client.set_terminated(run.info.run_id, ended)
    end_dead_runs(client, experiment)
    assert client.get_run(run.info.run_id).info.status == expected


def test_a_run_whose_last_files_cannot_be_written_is_completed_later(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    with monkeypatch.context() as full:
        full.setattr(mlflow.MlflowClient, "log_artifacts", mock.Mock(side_effect=OSError("disk full")))
        done = project.invoke("--params", DIGITS, "--to-nodes", "reshape")
    assert done.exit_code == 0
    assert "disk full" in done.output
    assert "kedro sync-runs" in done.output
    assert project.call("sync-runs").exit_code == 0
    assert status(project) == ("FINISHED", None)


@pytest.fixture
def handlers() -> Iterator[list[Any]]:
    """What SIGINT and SIGTERM do, set to what no run sets them to."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    yield [signal.SIG_IGN, signal.SIG_IGN]
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("node", ["ingest", "train"], ids=["that finishes", "that fails"])
def test_after_a_run_the_signals_are_handled_as_before(project: Project, handlers: list[Any], node: str) -> None:
    done = project.invoke("--params", f"{DIGITS},training.learning_rate=1e38", "--to-nodes", node)
    assert done.exit_code == (node == "train")
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_another_ctrl_c_does_not_break_off_the_record_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    hook = Tracking(lambda: pytest.fail("no parameters are needed"))
    with pytest.raises(KeyboardInterrupt):
        hook._interrupt(signal.SIGINT, None)
    hook._interrupt(signal.SIGINT, None)
    hook._interrupt(signal.SIGTERM, None)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 11)
    with pytest.raises(KeyboardInterrupt):
        hook._interrupt(signal.SIGINT, None)


@pytest.mark.parametrize(("interrupted_by", "status"), [("SIGTERM", "KILLED"), (None, "FAILED")])
def test_a_process_that_ends_early_leaves_the_status_of_its_end(interrupted_by: str | None, status: str) -> None:
    hook, writer = Tracking(lambda: pytest.fail("no parameters are needed")), mock.Mock()
    hook._signal = interrupted_by
    hook._at_exit(writer)
    assert writer.end.call_args.args[0] == status
