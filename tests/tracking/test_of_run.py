"""`--pipelines evaluate --params of=RUN` evaluates a recorded run, whatever lies in data/."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from mnist_lstm.core.data.bundled_digits import bundled_digits
from mnist_lstm.sweep.hook import trial
from mnist_lstm.tracking import tags
from mnist_lstm.tracking.pages import NOTE
from tests.support.projects import DIGITS, Project, mistake


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


def test_a_recorded_run_is_evaluated_on_other_data_of_the_same_form(project: Project) -> None:
    digits, then = bundled_digits(), project.last_run()
    images, labels = digits.train.images[:300, ::-1], digits.train.labels[:300]
    np.savez(project.path / "flip.npz", x_train=images, y_train=labels)
    np.savez(project.path / "two.npz", x_train=images[labels < 2], y_train=labels[labels < 2])
    options = ("--pipelines", "evaluate,report", "--params")
    done = project.invoke(*options, "of=champion,data.path=two.npz")
    assert "found images of 8 x 8 pixels in 2 classes (two); name others" in mistake(done)
    done = project.invoke(*options, "of=champion,data.path=flip.npz")
    assert done.exit_code == 0, done.output
    new = project.last_run()
    assert new.info.run_name == "lstm128 rows s1 iterations=30 digits on flip"
    assert (new.data.tags[tags.OF], new.data.tags["data"]) == (then.info.run_id, "flip")
    assert {entry.dataset.name for entry in new.inputs.dataset_inputs} == {"flip test"}
    assert f"run {then.info.run_id}" in new.data.tags[NOTE]
    assert "trained on bundled 8x8 digits (not MNIST)." in new.data.tags[NOTE]
    reported, page = ((project.path / f"data/08_reporting/{name}.html").read_text() for name in ("report", "explain"))
    assert "The network was trained on bundled 8x8 digits (not MNIST): every number here is about flip" in reported
    assert "flip (trained on bundled 8x8 digits (not MNIST))" in page


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
    assert found in mistake(project.invoke(*options))
