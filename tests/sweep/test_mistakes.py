"""Mistakes in the options of a sweep, each reported in one line before anything starts."""

import sys

import pytest

from tests.support.projects import Project, mistake

pytestmark = pytest.mark.slow

MISTAKES = {
    "--grid model.hiden_size=1,2": "did you mean 'model.hidden_size'",
    "--grid model.hidden_size=8,x": "'model.hidden_size' should be a valid integer, not 'x'",
    "--grid model.hidden_size=8,8": "must be given once",
    "--grid model.hidden_size=8,16 --params model.hidden_size=32": "must be given once, found --grid and --params",
    "--grid model.hidden_size": "KEY=VALUES",
    "--grid evaluation.confidence=0.9,0.95": "'evaluation.confidence'",
    "--grid data.name=digits,digts": "did you mean 'digits'",
    "--grid training.seed=1,2 --seeds 2": "the seeds must be given once",
    "--seeds 2 --metric test/accuracy": "--metric must be valid/accuracy or valid/loss",
    "--seeds 2 --name fast": "conf/fast must be free",
    "--seeds 2 --name ../x": "--name must be",
    "--seeds 1": "needs parameters to change",
    "--seeds 2 --address auto": "needs --engine ray",
    "--seeds 2 --params tracking.enabled=false": "tracking.enabled",
    "--grid model.hidden_size=8,16 --trials 5": "--trials 5 needs a --search",
    "--seeds 2 --params predict.folder=x": "'predict.folder' is of the pipeline predict, which no trial runs",
    "--search model.hidden_size=8": "must have two values or more",
    "--search model.hiden_size=1:2": "did you mean 'model.hidden_size'",
    "--search model.hidden_size=8:x": "KEY=LOW:HIGH",
    "--search model.hidden_size=8.5:16": "'model.hidden_size' should be a valid integer, not 8.5",
    "--search model.hidden_size=16:8": "KEY=LOW:HIGH",
    "--search training.learning_rate=log:0:1": "above 0",
    "--search model.dropout=0:1.5": "'model.dropout' should be less than 1, not 1.5",
    "--search training.warmup=0:900": "'training.warmup' must be fewer than the 799 updates",
    "--search model.cell=lstm,gruu": "'model.cell' should be 'lstm', 'gru' or 'rnn', not 'gruu'",
    "--search sequence.permutation_seed=1:9": "must name its values",
    "--search model.dropout=0:0.5 --search model.dropout=0:0.1": "must be given once",
    "--search model.dropout=0:0.5 --seeds 2": "found both",
    "--search model.dropout=0:0.5 --grid model.cell=lstm,gru": "found both",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_a_mistake_is_told_in_one_line_before_anything_starts(project: Project, words: str) -> None:
    assert MISTAKES[words] in mistake(project.call("sweep", *words.split()))
    assert project.runs() == []


def test_a_damaged_file_of_the_preset_is_named(project: Project) -> None:
    (file := project.path / "conf/few/arms.yml").parent.mkdir()
    file.write_text("small: [1")
    found = mistake(project.call("sweep", "--env", "few", "--grid", "arm=small"))
    assert f"{file} must be a YAML file in UTF-8 of keys and values" in found


def test_ray_must_be_installed_to_be_the_engine(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    done = project.call("sweep", "--seeds", "2", "--engine", "ray")
    assert mistake(done).startswith("--engine ray needs Ray, found none; pip install")
    assert project.runs() == []
