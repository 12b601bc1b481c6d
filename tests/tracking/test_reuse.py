"""When the weights of a recorded run stand in place of a training, and when not."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from mnist_lstm.core.report.origin import made_with
from mnist_lstm.core.training import checkpoint
from mnist_lstm.core.training.checkpoint import Checkpoint, weights_digest
from mnist_lstm.core.training.program import CONTINUES, program
from mnist_lstm.tracking import store, tags
from mnist_lstm.tracking.reuse import recorded
from mnist_lstm.tracking.settings import read_settings
from tests.support import finished, tiny
from tests.support.projects import DIGITS, TESTED, Project
from tests.tracking.fake_runs import FakeRuns


def trained(**changes: Any) -> Checkpoint:
    return replace(tiny.checkpoint(), **{"program": program()} | changes)


OTHER_DATA = tiny.checkpoint().fingerprint_fields | {"data.train.sha256": "b" * 64}


@pytest.fixture
def record(fakes: FakeRuns) -> Callable[..., str]:
    """Records a run that trained this."""

    def recording(done: Checkpoint, status: str = "FINISHED", **others: str) -> str:
        names = {tags.FINGERPRINT: done.fingerprint, tags.WEIGHTS: weights_digest(done.weights)} | others
        run_id = fakes.record("bars", wrong=slice(0, 1), status=status, tags=names)
        (fakes.path / "checkpoint.pt").write_bytes(checkpoint.to_bytes(done))
        fakes.client.log_artifact(run_id, str(fakes.path / "checkpoint.pt"))
        return run_id

    return recording


@pytest.fixture
def reused(fakes: FakeRuns, caplog: pytest.LogCaptureFixture) -> Callable[[Checkpoint], tuple[Checkpoint | None, str]]:
    """What is found for the training of a checkpoint, and the line that says so."""

    def found(wanted: Checkpoint) -> tuple[Checkpoint | None, str]:
        caplog.clear()
        with caplog.at_level(logging.INFO, "mnist_lstm.tracking.reuse"):
            result = recorded(fakes.path, wanted.fingerprint_fields)
        (line,) = (each.getMessage() for each in caplog.records if each.name == "mnist_lstm.tracking.reuse")
        return result, line

    return found


def test_a_finished_run_of_the_same_training_gives_its_weights(record: Any, reused: Any) -> None:
    run_id = record(trained())
    result, line = reused(trained())
    assert (weights_digest(result.weights), result.weights_of) == (weights_digest(trained().weights), run_id)
    assert line == f"Takes the weights of run {run_id} (bars) in place of training."
    record(trained(), **{tags.WEIGHTS_OF: run_id})
    assert reused(trained())[0].weights_of == run_id, "it names the run that trained, not one that reused"


def test_a_portable_training_is_reused_on_another_processor_and_with_other_threads(record: Any, reused: Any) -> None:
    def portable(threads: int) -> Checkpoint:
        changes = {"training.precision": "portable", "training.threads": threads}
        fields = trained().fingerprint_fields | changes
        return trained(fingerprint_fields=fields, program=program(portable=True))

    run_id = record(portable(1))
    assert reused(portable(2))[0].weights_of == run_id


def test_a_flipped_byte_in_the_recorded_checkpoint_is_found(record: Any, reused: Any, fakes: FakeRuns) -> None:
    run_id = record(trained())
    file = Path(urlsplit(fakes.client.get_run(run_id).info.artifact_uri).path) / "checkpoint.pt"
    content = bytearray(file.read_bytes())
    content[content.index(trained().weights["readout.bias"].numpy().tobytes())] ^= 1
    file.write_bytes(content)
    result, line = reused(trained())
    assert result is None
    assert f"checkpoint.pt of run {run_id} must be a complete checkpoint" in line
    state = trained().state
    other = replace(state, weights={name: value + 1 for name, value in state.weights.items()})
    file.write_bytes(checkpoint.to_bytes(trained(state=other)))
    result, line = reused(trained())
    assert result is None
    assert f"checkpoint.pt of run {run_id} must have weights with the digest" in line


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"fingerprint_fields": OTHER_DATA}, f"data.train.sha256 is '{'a' * 12}…, was '{'b' * 12}…."),
        ({"program": program() | {"source": "other"}}, "source is "),
        ({"program": program() | {CONTINUES: {"torch": "1"}}}, "two programs trained it"),
        ({"program": {}}, "another program trained run"),
        ({"state": replace(trained().state, ended=False)}, "was interrupted"),
    ],
)
def test_weights_of_other_data_of_another_program_or_of_half_a_training_are_not_taken(
    record: Any, reused: Any, changes: dict[str, Any], reason: str
) -> None:
    record(trained(**changes))
    result, line = reused(trained())
    assert result is None
    assert reason in line


@pytest.mark.parametrize("others", [{"status": "KILLED"}, {"status": "FAILED"}, {tags.SEAL: "1"}])
def test_only_finished_runs_of_ones_own_count(record: Any, reused: Any, others: dict[str, str]) -> None:
    record(trained(), **others)
    assert reused(trained())[0] is None


def test_without_mlflow_nothing_is_looked_up(fakes: FakeRuns, reused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_settings(store.config_loader(fakes.path))
    off = settings.model_copy(update={"tracking": settings.tracking.model_copy(update={"enabled": False})})
    monkeypatch.setattr("mnist_lstm.tracking.reuse.read_settings", lambda _: off)
    monkeypatch.setattr(store, "opened", lambda _: pytest.fail("the store was opened"))
    assert "tracking.enabled" in reused(trained())[1]


def test_the_report_says_whose_weights_they_are() -> None:
    run = finished.run(checkpoint=trained(weights_of="2" * 32))
    run = replace(run, provenance=run.provenance | {"run": run.provenance["run"] | {"trained": False}})
    assert ("weights of run", "2" * 32) in made_with(run)["trained with"]


def test_a_run_takes_the_weights_of_the_one_before_and_is_tested_anew(short: Project, tmp_path: Path) -> None:
    project = short.copied_to(tmp_path / "copy")
    params = f"{DIGITS},evaluation.confidence=0.9,training.reuse=true"
    done = project.invoke("--params", params, *TESTED)
    assert done.exit_code == 0, done.output
    new, then = project.runs()
    assert new.data.tags[tags.WEIGHTS_OF] == then.info.run_id
    assert new.data.tags[tags.WEIGHTS] == then.data.tags[tags.WEIGHTS]
    assert new.data.metrics == then.data.metrics
    assert f"[run {then.info.run_id}](#/experiments/" in new.data.tags["mlflow.note.content"]
