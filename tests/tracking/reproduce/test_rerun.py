from types import SimpleNamespace
from typing import Any

import pytest

from mnist_lstm.errors import UserError
from mnist_lstm.tracking import tags
from mnist_lstm.tracking.reproduce import rerun
from mnist_lstm.tracking.reproduce.rerun import Again, run_again
from tests.tracking.fake_runs import FakeRuns


@pytest.fixture
def again(fakes: FakeRuns) -> Again:
    """A run to do again."""
    then: Any = SimpleNamespace(run=fakes.client.get_run(fakes.record("bars", wrong=slice(0, 1))))
    return Again(then, fakes.path, "sqlite://", "mnist-lstm")


def test_a_reproduction_finds_its_own_run_though_another_of_the_same_ran_meanwhile(
    fakes: FakeRuns, again: Again, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def process(_: Again, name: str, *__: bool) -> int:
        made.append(fakes.record(name, wrong=slice(0, 1)))
        if len(made) == 1:
            assert run_again(again, fakes.client, False, False).info.run_id == made[1]
        return 0

    monkeypatch.setattr(rerun, "_process", process)
    assert run_again(again, fakes.client, False, False).info.run_id == made[0]
    assert [fakes.client.get_run(run_id).info.run_name for run_id in made] == [
        f"reproduces {again.then.run.info.run_id[:8]}"
    ] * 2


def test_a_process_that_made_no_run_is_reported_and_a_reproduction_that_fails_is_a_child_of_the_run_all_the_same(
    fakes: FakeRuns, again: Again, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rerun, "_process", lambda *_: 1)
    with pytest.raises(UserError, match="found exit code 1; see above"):
        run_again(again, fakes.client, False, False)
    made = []

    def process(_: Again, name: str, *__: bool) -> int:
        made.append(fakes.record(name, wrong=None, status="FAILED"))
        return 1

    monkeypatch.setattr(rerun, "_process", process)
    with pytest.raises(UserError, match="must finish to be compared, found exit code 1"):
        run_again(again, fakes.client, False, False)
    found = fakes.client.get_run(made[0]).data.tags
    assert found[tags.REPRODUCES] == found[tags.PARENT] == again.then.run.info.run_id


@pytest.mark.parametrize(("preset", "expected"), [(None, None), ("local", "local"), ("gone", "base")])
def test_a_run_whose_preset_is_gone_is_done_with_its_recorded_parameters(
    again: Again, preset: str | None, expected: str | None
) -> None:
    options = options_of(again, preset)
    assert options["env"] == expected
    assert options["params"]["model"] == {"hidden_size": 7}


def test_a_reproduction_uses_the_precision_that_auto_became(again: Again) -> None:
    training = options_of(again, None)["params"]["training"]
    assert training == {"precision": "bfloat16", "resume": False, "reuse": False}


def options_of(again: Again, preset: str | None) -> dict[str, Any]:
    """Of the new process, for a run with that preset which trained in bfloat16."""
    recorded = {
        "data": {"name": "bars", "mirror": None},
        "training": {"precision": "auto", "resume": True},
        "model": {"hidden_size": 7},
    }
    then: Any = SimpleNamespace(
        provenance={"preset": preset, "data": {"name": "bars"}, "parameters": recorded},
        checkpoint=SimpleNamespace(fingerprint_fields={"training.precision": "bfloat16"}),
    )
    return rerun._options(again._replace(then=then), "again", again.project)
