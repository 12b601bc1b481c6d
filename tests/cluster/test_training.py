"""`kedro run --env ray`: two workers of a Ray cluster train one classifier, and a dead one is replaced."""

import csv
import threading
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any
from unittest.mock import create_autospec

import psutil
import pytest

from mnist_lstm.core.data.sequences import SequenceSplit
from mnist_lstm.core.model.classifier import RecurrentClassifier
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import Parameters
from tests.support.projects import Project, wait_for

pytest.importorskip("ray")
pytestmark = pytest.mark.slow

DIGITS = "data.name=digits,model.hidden_size=16,training.report_seconds=0.0,training.iterations"
ROUNDING = 1e-4


def history(project: Project) -> list[dict[str, float]]:
    """The curves of the last run, a row for each tenth update."""
    with (project.path / "data/08_reporting/history.csv").open() as file:
        return [{key: float(value or "nan") for key, value in row.items()} for row in csv.DictReader(file)]


def losses(rows: list[dict[str, float]]) -> Any:
    return pytest.approx([row["train_loss"] for row in rows[:5]], abs=ROUNDING)


def test_two_workers_follow_the_curve_of_one_process_in_one_run(project: Project) -> None:
    alone = project.invoke("--params", f"training.precision=float32,{DIGITS}=50")
    assert alone.exit_code == 0, alone.output
    expected = losses(history(project))
    done = project.run("--env", "ray", "--params", f"{DIGITS}=50")
    assert done.returncode == 0, done.stdout
    assert [row["train_loss"] for row in history(project)] == expected
    assert [run.info.status for run in project.runs()] == ["FINISHED", "FINISHED"]
    assert project.last_run().data.params["training.workers"] == "2"


def test_a_worker_that_is_killed_is_replaced_and_training_goes_on(project: Project) -> None:
    alone = project.invoke("--params", f"training.precision=float32,{DIGITS}=1500")
    assert alone.exit_code == 0, alone.output
    expected = history(project)
    (project.path / "data/08_reporting/history.csv").unlink()
    process = project.start_training("--env", "ray", "--params", f"{DIGITS}=1500")
    workers(process.pid)[0].kill()
    assert process.wait() == 0, (project.path / "output.txt").read_text()
    found = history(project)
    assert [row["iteration"] for row in found] == [row["iteration"] for row in expected]
    assert [row["train_loss"] for row in found[:5]] == losses(expected)
    assert found[-1]["valid_accuracy"] == pytest.approx(expected[-1]["valid_accuracy"], abs=0.03)


def test_a_worker_that_gives_up_is_told_though_the_others_wait_for_it(
    small: Parameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnist_lstm.cluster import training

    go_on, ended = threading.Event(), []
    queue = SimpleNamespace(taken=remote([]), mistake=remote("one has no bfloat16"))
    fakes = {
        "joined": lambda _: nullcontext(),
        "expect_room": lambda *_: None,
        "local_actor": lambda _: remote(queue),
        "_trainer": lambda *_: SimpleNamespace(fit=lambda: ended.append(go_on.wait(30))),
        "ray": SimpleNamespace(get=lambda found: found, put=lambda given: given),
        "GRACE": 0.0,
    }
    for name, fake in fakes.items():
        monkeypatch.setattr(training, name, fake)
    parts = create_autospec(SequenceSplit), create_autospec(SequenceSplit)
    with pytest.raises(UserError, match="one has no bfloat16"):
        list(training.fit(create_autospec(RecurrentClassifier), *parts, small.training, (6, 4)))
    assert not ended
    go_on.set()


def remote(answer: Any) -> Any:
    """What a call to another process looks like, answered at once."""
    return SimpleNamespace(remote=lambda *_: answer)


def test_a_training_that_diverges_on_workers_is_told_in_one_line(project: Project) -> None:
    done = project.run("--env", "ray", "--params", f"{DIGITS}=50,training.learning_rate=1e38")
    assert done.returncode == 1
    last = done.stdout.splitlines()[-1]
    assert last.startswith("Error: ")
    assert "must stay finite" in last


def workers(pid: int) -> list[psutil.Process]:
    """The processes in which Ray's workers train."""

    def found() -> list[psutil.Process]:
        children = psutil.Process(pid).children(recursive=True)
        return [child for child in children if "TrainWorker" in " ".join(child.cmdline())]

    wait_for(lambda: len(found()) >= 2)
    return found()


def test_more_processors_than_there_are_are_told_in_one_line(project: Project) -> None:
    done = project.run("--env", "ray", "--params", f"{DIGITS}=50,training.threads=999")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("Error: the Ray cluster must have 1998 processors and 0 graphics")
