"""The same bits from the same record: whatever the surroundings, after any kill, and next to other runs."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch

from mnist_lstm.core.training.checkpoint import Checkpoint, from_bytes, weights_digest
from tests.support.projects import DIGITS, REPOSITORY, Project, copied, surroundings, wait_for

pytestmark = pytest.mark.slow

TRAINING = REPOSITORY / "tests/support/training_to_kill.py"


# kedro reproduce


def reproduce(project: Project, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PINNED, sys.executable, "-m", "kedro", "reproduce", *words],
        cwd=project.path,
        env=surroundings() | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


PINNED: list[str] = []


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Project:
    """A project with one recorded run."""
    made = copied(tmp_path_factory.mktemp("recorded"))
    shutil.copy(empty_store, made.path)
    done = made.run("--params", DIGITS)
    assert done.returncode == 0, done.stdout
    return made


@contextmanager
def busy() -> Iterator[None]:
    """Another process keeps the processor busy."""
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        other.kill()
        other.wait()


SURROUNDINGS = {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "12345"}


@pytest.mark.parametrize("crowded", [False, True], ids=["other surroundings", "a busy machine with one core"])
def test_a_run_is_reproduced_to_the_bit_in_another_clone(
    recorded: Project, tmp_path: Path, crowded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = copied(tmp_path / "elsewhere")
    environment = ({} if crowded else SURROUNDINGS) | {
        "MLFLOW_TRACKING_URI": f"sqlite:///{recorded.path / 'mlflow.db'}"
    }
    monkeypatch.setattr(sys.modules[__name__], "PINNED", ["taskset", "-c", "0"] if crowded else [])
    with busy() if crowded else nullcontext():
        done = reproduce(elsewhere, "lstm128 rows s1 iterations=30 digits", **environment)
    assert "reproduced to the bit: weights, predictions" in done.stdout, done.stdout
    assert done.returncode == 0


def test_a_run_whose_record_names_another_seed_is_not_reproduced(recorded: Project, tmp_path: Path) -> None:
    """The control: the comparison can tell weights apart."""
    from mnist_lstm.tracking import reader
    from mnist_lstm.tracking.find_run import find_run
    from mnist_lstm.tracking.reproduce.rerun import compared

    project = copied(tmp_path / "project")
    shutil.copytree(recorded.path / "mlartifacts", project.path / "mlartifacts")
    shutil.copy(recorded.path / "mlflow.db", project.path)
    assert project.run("--params", f"{DIGITS},training.seed=2").returncode == 0
    client = project.client()
    one, other = (find_run(client, "mnist-lstm", f"lstm128 rows s{seed} iterations=30 digits") for seed in (1, 2))
    verdict = compared(reader.read(client, one), reader.read(client, other), [])
    assert not verdict.equal
    assert "not reproduced: weights, predictions, metrics, curves differ" in verdict.sentence
    assert "training.seed is 2, was 1" in verdict.sentence


def test_a_reproduction_is_a_child_of_the_run_and_says_its_verdict(recorded: Project) -> None:
    original = recorded.runs()[-1]
    assert reproduce(recorded, original.info.run_id).returncode == 0
    child = recorded.runs()[0]
    assert child.data.tags["mlflow.parentRunId"] == original.info.run_id
    assert child.data.tags["reproduction"].startswith("reproduced to the bit")


def test_an_unknown_run_is_refused_in_one_line(recorded: Project) -> None:
    done = reproduce(recorded, "lstm128 rows s7 digits")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("Error: a run must be given by its id, its name or 'latest'")
    assert "Traceback" not in done.stdout


def test_a_run_of_other_packages_is_refused_before_training(recorded: Project, tmp_path: Path) -> None:
    project = copied(tmp_path / "project")
    shutil.copytree(recorded.path / "mlartifacts", project.path / "mlartifacts")
    shutil.copy(recorded.path / "mlflow.db", project.path)
    client = project.client()
    run = client.create_run(project.runs()[0].info.experiment_id, run_name="of another torch")
    original = recorded.runs()[-1].info.run_id
    # The copied database still names the folders of the project that it is a copy of
    artifacts = project.path / Path(str(run.info.artifact_uri).removeprefix("file://")).relative_to(recorded.path)
    artifacts.mkdir(parents=True)
    for name in ("checkpoint.pt", "predictions.npz", "provenance.json"):
        file = Path(client.download_artifacts(original, name, str(artifacts)))
        if name == "provenance.json":
            file.write_text(file.read_text().replace(f'"torch": "{torch.__version__}"', '"torch": "1.0.0"'))
    before = len(project.runs())
    done = reproduce(project, run.info.run_id)
    assert done.returncode == 2, done.stdout
    assert "1.0.0" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("not reproduced, because the packages changed: install")
    assert len(project.runs()) == before


# Kills


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The weights' digest of a training that nothing interrupted."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    assert train(folder).wait() == 0
    return weights_digest(only_checkpoint(folder).weights)


def train(folder: Path, *words: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, TRAINING, folder, *words], env=surroundings() | {"PYTHONPATH": PATHS})


PATHS = os.pathsep.join([str(REPOSITORY / "src"), str(REPOSITORY)])


def only_checkpoint(folder: Path) -> Checkpoint:
    (path,) = folder.glob("[!.]*.pt")
    return from_bytes(path.read_bytes(), str(path))


def resumed(folder: Path) -> Checkpoint:
    assert train(folder, "resume").wait() == 0
    return only_checkpoint(folder)


@pytest.mark.parametrize("update", [20, 80])
def test_killed_at_a_validation_and_resumed_it_ends_with_the_same_bits(
    tmp_path: Path, uninterrupted: str, update: int
) -> None:
    process = train(tmp_path, f"kill_at={update}")
    assert process.wait() == -signal.SIGKILL
    assert only_checkpoint(tmp_path).state.iteration == update
    assert weights_digest(resumed(tmp_path).weights) == uninterrupted


@pytest.mark.parametrize("moment", range(5))
def test_killed_at_a_random_moment_and_resumed_it_ends_with_the_same_bits(
    tmp_path: Path, uninterrupted: str, moment: int
) -> None:
    process = train(tmp_path)
    wait_for(lambda: bool(list(tmp_path.glob("[!.]*.pt"))))
    time.sleep(random.Random(moment).uniform(0, 0.5))
    process.kill()
    process.wait()
    assert weights_digest(resumed(tmp_path).weights) == uninterrupted


# Runs at once

DOOMED = [f"data.name=digits,training.iterations=100000,training.seed={seed}" for seed in (101, 102, 103)]
OTHERS = [f"{DIGITS},training.seed={seed}" for seed in range(1, 6)]


def test_of_eight_runs_at_once_in_a_fresh_clone_each_is_recorded_as_it_ended(tmp_path: Path) -> None:
    project = copied(tmp_path)
    doomed, others = ([project.start("--params", params) for params in each] for each in (DOOMED, OTHERS))
    assert [process.wait() for process in others] == [0] * 5, (tmp_path / "output.txt").read_text()
    wait_for(lambda: len(project.checkpoints()) == 8)
    for process in doomed:
        process.kill()
        process.wait()
    finished = [run for run in project.runs() if run.info.status == "FINISHED"]
    assert {run.data.params["training.seed"] for run in finished} == set("12345")
    assert len({run.data.tags["weights.sha256"] for run in finished}) == 5
    for run in finished:
        assert {"train/loss", "valid/accuracy", "test/accuracy"} <= run.data.metrics.keys()
        assert own_weights(project, run) == run.data.tags["weights.sha256"]
    assert project.run("--params", f"{DIGITS},training.seed=9").returncode == 0  # the next start finds the dead
    assert sorted(run.info.status for run in project.runs()[1:]) == ["FINISHED"] * 5 + ["KILLED"] * 3


def own_weights(project: Project, run: Any) -> str:
    path = project.client().download_artifacts(run.info.run_id, "checkpoint.pt")
    return weights_digest(from_bytes(Path(path).read_bytes(), path).weights)
