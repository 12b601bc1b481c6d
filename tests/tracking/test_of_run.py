"""`--pipelines evaluate --params of=RUN` evaluates a recorded run, whatever lies in data/."""

import shutil
from pathlib import Path

import pytest

from mnist_lstm.sweep.hook import trial
from mnist_lstm.tracking import tags
from tests.support.projects import DIGITS, Project


@pytest.fixture
def project(short: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose data/ holds nothing, and whose store knows one run of the digits with other parameters."""
    copy = short.copied_to(tmp_path / "copy")
    for folder in ("02_intermediate", "05_model_input", "06_models", "07_model_output", "08_reporting"):
        shutil.rmtree(copy.path / "data" / folder)
    monkeypatch.setattr(trial, "inputs", {})
    return copy


def test_a_recorded_run_is_evaluated_with_another_confidence(project: Project) -> None:
    then = project.last_run()
    done = project.invoke("--pipelines", "evaluate", "--params", "of=latest,evaluation.confidence=0.5")
    assert done.exit_code == 0, done.output
    new = project.last_run()
    assert new.data.tags[tags.OF] == then.info.run_id
    assert new.data.metrics == {name: then.data.metrics[name] for name in new.data.metrics}
    assert project.read("08_reporting/metrics.json")["confidence"] == 0.5
    assert new.data.params["training.iterations"] == "30", "those of the run, not of base"
    assert not project.checkpoints(), "nothing was trained"


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--params", f"of=latest,{DIGITS}"), "of=RUN is for `kedro run --pipelines evaluate`"),
        (("--pipelines", "evaluate", "--params", "of=latest,training.seed=2"), "found training.*; leave that out"),
        (("--pipelines", "evaluate", "--params", "of=nobody"), "has none called 'nobody'"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_in_one_line(
    project: Project, options: tuple[str, ...], found: str
) -> None:
    done = project.invoke(*options)
    assert done.exit_code == 1
    assert found in done.output.splitlines()[-1]
