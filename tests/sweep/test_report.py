"""The files that a study leaves, at its end and when it is stopped."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mnist_lstm.sweep import preset, report
from mnist_lstm.sweep.ranking import StudyResult, ranked
from tests.sweep.test_ranking import TRIALS, outcomes

METRIC = "valid/accuracy"
AXES = dict.fromkeys(TRIALS[0].changes)


@pytest.mark.parametrize("tested", [False, True])
def test_a_study_compares_what_has_finished_and_only_a_tested_winner_is_a_preset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tested: bool
) -> None:
    found = {name: replace(outcome, run_id=name) for name, outcome in outcomes(METRIC).items()}
    written: list[Any] = []
    study = SimpleNamespace(
        place="here", comparison=lambda ids: " ".join(ids), write=lambda *values: written.append(values)
    )
    for name, value in (("test_text", "tested"), ("cost_text", "cost")):
        monkeypatch.setattr(report, name, lambda *_, value=value: value)
    monkeypatch.setattr(preset, "preset", lambda *_: "preset")
    options: Any = SimpleNamespace(folder=tmp_path, name="six", metric=METRIC)
    result = StudyResult(study, "bars", ranked(TRIALS, found, METRIC), found, found["8 1"] if tested else None)  # type: ignore[arg-type]
    trials: Any = SimpleNamespace(axes=AXES, trials=TRIALS)
    monkeypatch.setattr(report, "figures", lambda *_: [])
    lines = report.write(SimpleNamespace(project=tmp_path), trials, options, result)  # type: ignore[arg-type]
    names = {"compare.html", "study.html", "trials.csv"} | ({"parameters.yml"} if tested else set())
    assert {path.name for path in (tmp_path / "study").iterdir()} == names
    assert (tmp_path / "conf/six/parameters.yml").exists() == tested
    assert (tmp_path / "study/compare.html").read_text() == "8 1 8 2 4 1 4 2"
    assert (tmp_path / "study/trials.csv").read_text().splitlines()[1].startswith("4 1,4,1,finished,0.5,")
    assert lines[2].startswith("Best       model.hidden_size=8" if tested else "Best       so far model.hidden_size=8")
    (_, params, tags, metrics), *_ = written
    assert params == ({"metric": METRIC, "model.hidden_size": "4, 8", "training.seed": "1, 2"} if tested else {})
    assert (tags.get("winner"), metrics) == (("8 1", {"best/valid/accuracy": 0.8}) if tested else (None, {}))
