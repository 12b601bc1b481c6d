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
from mnist_lstm.core.model.classifier import RecurrentClassifier, new_classifier
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import Parameters
from tests.conftest import Sequences
from tests.support.projects import TESTED, Project, wait_for

pytest.importorskip("ray")
from mnist_lstm.cluster import training

DIGITS = "data.name=digits,model.hidden_size=16,training.report_seconds=0.0,training.iterations"
ROUNDING = 1e-4


def history(project: Project) -> list[dict[str, float]]:
    """The curves of the last run, a row for each tenth update."""
    with (project.path / "data/08_reporting/history.csv").open() as file:
        return [{key: float(value or "nan") for key, value in row.items()} for row in csv.DictReader(file)]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's
def test_two_workers_follow_the_curve_of_one_process_and_one_that_is_killed_is_replaced(
    project: Project, cluster: Any
) -> None:
    alone = project.invoke("--params", f"training.precision=float32,{DIGITS}=500", *TESTED)
    assert alone.exit_code == 0, alone.output
    expected = history(project)
    (project.path / "data/08_reporting/history.csv").unlink()
    node, options = cluster.add_node(num_cpus=1), ("--env", "ray", "--params", f"{DIGITS}=500")
    process = project.start_training(*options, *TESTED, RAY_ADDRESS=cluster.address)
    workers()[0].kill()
    assert process.wait() == 0, (project.path / "output.txt").read_text()
    cluster.remove_node(node)
    found = history(project)
    assert [row["iteration"] for row in found] == [row["iteration"] for row in expected]
    assert [row["train_loss"] for row in found[:5]] == pytest.approx(
        [row["train_loss"] for row in expected[:5]], abs=ROUNDING
    )
    assert found[-1]["valid_accuracy"] == pytest.approx(expected[-1]["valid_accuracy"], abs=0.03)
    assert [run.info.status for run in project.runs()] == ["FINISHED", "FINISHED"]
    assert project.last_run().data.params["training.workers"] == "2"


def workers() -> list[psutil.Process]:
    """The processes in which Ray's workers train."""

    def found() -> list[psutil.Process]:
        children = psutil.Process().children(recursive=True)
        return [child for child in children if "TrainWorker" in " ".join(child.cmdline())]

    wait_for(lambda: len(found()) >= 2)
    return found()


def fit_with(monkeypatch: pytest.MonkeyPatch, small: Parameters, **fakes: Any) -> None:
    """Trains where `fakes` stand for names of the module."""
    for name, fake in {"joined": lambda _: nullcontext(), **fakes}.items():
        monkeypatch.setattr(training, name, fake)
    parts = create_autospec(SequenceSplit), create_autospec(SequenceSplit)
    list(training.fit(create_autospec(RecurrentClassifier), *parts, small.training, (6, 4)))


def test_a_worker_that_gives_up_is_reported_though_the_others_wait_for_it(
    small: Parameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, ended = threading.Event(), []
    queue = SimpleNamespace(taken=remote([]), mistake=remote("one has no bfloat16"))
    fakes = {
        "expect_room": lambda *_: None,
        "local_actor": lambda _: remote(queue),
        "_trainer": lambda *_: SimpleNamespace(fit=lambda: ended.append(go_on.wait(30))),
        "ray": SimpleNamespace(get=lambda found: found, put=lambda given: given),
        "GRACE": 0.0,
    }
    with pytest.raises(UserError, match="one has no bfloat16"):
        fit_with(monkeypatch, small, **fakes)
    assert not ended
    go_on.set()


def test_more_processors_than_there_are_are_refused(small: Parameters, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ray.cluster_resources", lambda: {"CPU": 2.0})
    many = small.training.model_copy(update={"workers": 2, "threads": 999})
    with pytest.raises(UserError, match=r"^the Ray cluster must have 1998 processors and 0 graphics"):
        fit_with(monkeypatch, small.model_copy(update={"training": many}))


def test_a_training_that_diverges_makes_its_worker_give_up(
    small: Parameters, sequences: Sequences, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    queue = SimpleNamespace(state=remote(None), give_up=SimpleNamespace(remote=told.append))
    diverging = small.training.model_copy(update={"learning_rate": 1e38})
    network = new_classifier(small.model, (6, 4), 3, seed=1)
    work = (network, sequences.train, sequences.valid, diverging, (6, 4), queue)
    monkeypatch.setattr("ray.get", lambda found: found)
    monkeypatch.setattr("torch.distributed.get_rank", lambda: 1)
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: 1)
    training._work({"work": work})
    assert ["must stay finite" in mistake for mistake in told] == [True]


def remote(answer: Any) -> Any:
    """What a call to another process looks like, answered at once."""
    return SimpleNamespace(remote=lambda *_: answer)
