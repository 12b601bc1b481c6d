"""The same bits from the same record: whatever the surroundings, and next to other runs."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mnist_lstm.core.training.checkpoint import from_bytes, weights_digest
from tests.support.projects import DIGITS, PLAIN, TESTED, Project, called, copied, wait_for

pytestmark = pytest.mark.slow


# kedro reproduce


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Project:
    """A project with one recorded run."""
    made = copied(tmp_path_factory.mktemp("recorded"), empty_store)
    done = made.invoke("--params", DIGITS, *PLAIN)
    assert done.exit_code == 0, done.output
    return made


ONE_CORE = ["taskset", "-c", "0"]
SURROUNDINGS = {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "12345"}


def test_a_run_is_reproduced_to_the_bit_in_other_surroundings_on_a_core_that_is_busy(
    recorded: Project, tmp_path: Path
) -> None:
    """In another folder, whose run becomes a child of the one that it reproduces."""
    store = {"MLFLOW_TRACKING_URI": f"sqlite:///{recorded.path / 'mlflow.db'}"}
    command = [*ONE_CORE, sys.executable, "-m", "kedro", "reproduce", "lstm128 rows s1 iterations=30 digits"]
    with subprocess.Popen([*ONE_CORE, sys.executable, "-c", "while True: pass"]) as busy:
        try:
            done = called(command, copied(tmp_path).path, **SURROUNDINGS, **store)
        finally:
            busy.kill()
    assert "reproduced to the bit: weights, predictions" in done.stdout, done.stdout
    assert done.returncode == 0
    child, original = recorded.runs()
    assert child.data.tags["mlflow.parentRunId"] == original.info.run_id
    assert child.data.tags["reproduction"].startswith("reproduced to the bit")


def test_a_run_whose_record_names_another_seed_is_not_reproduced(recorded: Project, tmp_path: Path) -> None:
    """The control: the comparison can tell weights apart."""
    from mnist_lstm.tracking import reader
    from mnist_lstm.tracking.find_run import find_run
    from mnist_lstm.tracking.reproduce.verdict import compared

    project = recorded.copied_to(tmp_path)
    assert project.invoke("--params", f"{DIGITS},training.seed=2", *PLAIN).exit_code == 0
    client = project.client()
    one, other = (find_run(client, "mnist-lstm", f"lstm128 rows s{seed} iterations=30 digits") for seed in (1, 2))
    verdict = compared(reader.read(client, one), reader.read(client, other), [])
    assert not verdict.equal
    assert "not reproduced: weights, predictions, metrics, curves differ" in verdict.sentence
    assert "training.seed is 2, was 1" in verdict.sentence


# Runs at once

DOOMED = [f"data.name=digits,training.iterations=100000,training.seed={seed}" for seed in (101, 102)]
OTHERS = [f"{DIGITS},training.seed={seed}" for seed in range(1, 5)]


def test_of_six_runs_at_once_in_a_fresh_clone_each_is_recorded_as_it_ended(tmp_path: Path) -> None:
    project = copied(tmp_path)
    doomed, others = ([project.start("--params", params, *TESTED) for params in each] for each in (DOOMED, OTHERS))
    assert [process.wait() for process in others] == [0] * 4, (tmp_path / "output.txt").read_text()
    wait_for(lambda: len(project.checkpoints()) == 6)
    for process in doomed:
        process.kill()
        process.wait()
    finished = [run for run in project.runs() if run.info.status == "FINISHED"]
    assert {run.data.params["training.seed"] for run in finished} == set("1234")
    assert len({run.data.tags["weights.sha256"] for run in finished}) == 4
    assert len({frozenset(run.data.metrics) for run in finished}) == 1
    for run in finished:
        assert {"train/loss", "valid/accuracy", "test/accuracy"} <= run.data.metrics.keys()
        assert own_weights(project, run) == run.data.tags["weights.sha256"]
    done = project.invoke("--params", DIGITS, "--to-nodes", "ingest")  # the next start finds the dead
    assert done.exit_code == 0, done.output
    assert sorted(run.info.status for run in project.runs()[1:]) == ["FINISHED"] * 4 + ["KILLED"] * 2


def own_weights(project: Project, run: Any) -> str:
    path = project.client().download_artifacts(run.info.run_id, "checkpoint.pt")
    return weights_digest(from_bytes(Path(path).read_bytes(), path).weights)
