import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_lstm.errors import UserError
from mnist_lstm.tracking import load_model, reader, registry, tags
from mnist_lstm.tracking.find_run import LATEST
from mnist_lstm.tracking.registry import CHAMPION, DECISION, Candidate, decision
from mnist_lstm.tracking.reproduce import rerun
from tests.support.projects import DIGITS, PLAIN, Project, copied
from tests.tracking.fake_runs import FakeRuns

NAME, TEMPLATE = "mnist-lstm", "{data}-lstm"


def candidate(accuracy: float, data: str = "mnist", run_id: str = "run") -> Candidate:
    return Candidate(run_id, "model", data, f"images of {data}", accuracy)


def champion(accuracy: float, data: str = "mnist") -> Any:
    return SimpleNamespace(version="4", tags=candidate(accuracy, data).tags)


@given(correct=st.integers(0, 5000), more=st.integers(-5000, 5000), margin=st.sampled_from([0, 1, 5, 100]))
def test_a_model_must_be_better_by_more_than_the_margin(correct: int, more: int, margin: int) -> None:
    wins, _ = decision(champion(correct / 5000), candidate((correct + more) / 5000), margin / 5000)
    assert wins is (more > margin)


def test_the_decision_names_both_accuracies() -> None:
    assert decision(champion(0.96), candidate(0.97), 0.001) == (
        True,
        "became the champion: validation accuracy 0.9700, version 4 had 0.9600",
    )
    assert decision(champion(0.96), candidate(0.961), 0.001) == (
        False,
        "leaves version 4 the champion: validation accuracy 0.9610 is not more than 0.001 above its 0.9600",
    )


@pytest.mark.parametrize(
    ("before", "now", "wins"),
    [
        ("mnist", "digits", False),
        ("digits", "mnist", True),
        ("digits", "mine", True),
        ("mnist", "fashion_mnist", False),
        ("fashion_mnist", "mnist", False),
    ],
)
def test_models_of_other_data_are_not_compared_and_only_the_bundled_digits_yield(
    before: str, now: str, wins: bool
) -> None:
    for accuracies in ((0.1, 0.9), (0.9, 0.1)):
        decided, reason = decision(champion(accuracies[0], before), candidate(accuracies[1], now), 0.0)
        assert decided is wins
        assert "0.9" not in reason


def register(fakes: FakeRuns, accuracy: float, data: str = "mnist", name: str = NAME) -> str:
    run = fakes.client.create_run(fakes.experiment)
    logged = fakes.client.create_logged_model(fakes.experiment, source_run_id=run.info.run_id)
    found = candidate(accuracy, data, run.info.run_id)._replace(model_id=logged.model_id)
    return registry.register(fakes.client, fakes.path, found, name, 0.001)


def test_each_data_set_has_a_registered_model_of_its_own(fakes: FakeRuns, caplog: pytest.LogCaptureFixture) -> None:
    for data in ("mnist", "mine"):
        assert register(fakes, 0.9, data, "{data}-net") == f"{data}-net version 1 became the champion, the first one"
        assert registry.version_called(fakes.client, f"{data}-net", CHAMPION)
    assert load_model.run_called(fakes.client, "mnist-lstm", "mine-net", CHAMPION)
    with pytest.raises(UserError, match=r"no champion \(there are mine-net@champion, mnist-net@champion\); train one"):
        load_model.run_called(fakes.client, "mnist-lstm", "kmnist-net", CHAMPION)
    fakes.client.delete_registered_model_alias("mine-net", CHAMPION)
    assert load_model.run_called(fakes.client, "mnist-lstm", "kmnist-net", CHAMPION)
    assert "that of 'mnist-net' answers, the only one there is" in caplog.text


def test_of_the_bundled_digits_only_champions_become_versions(fakes: FakeRuns) -> None:
    sentences = [register(fakes, accuracy, "digits", TEMPLATE) for accuracy in (0.8, 0.7, 0.9)]
    assert sentences[1].startswith("no version of digits-lstm: this model leaves version 1 the champion")
    assert sentences[2].startswith("digits-lstm version 2 became the champion")


def test_a_registered_model_is_shown_as_such_on_its_runs_page(fakes: FakeRuns) -> None:
    register(fakes, 0.9)
    (model,) = fakes.client.search_logged_models([fakes.experiment])
    assert json.loads(model.tags["mlflow.modelVersions"]) == [{"name": NAME, "version": 1}]


@pytest.mark.slow
def test_of_runs_that_end_at_once_the_best_is_the_champion(fakes: FakeRuns) -> None:
    accuracies = [0.9, 0.97, 0.95, 0.96, 0.91, 0.93]
    with ThreadPoolExecutor(6) as pool:
        sentences = list(pool.map(lambda accuracy: register(fakes, accuracy), accuracies))
    best = registry.version_called(fakes.client, NAME, CHAMPION)
    assert best is not None
    assert best.tags["valid/accuracy"] == "0.97"
    assert sum("the first one" in sentence for sentence in sentences) == 1


def test_where_nothing_is_registered_there_is_no_champion(fakes: FakeRuns) -> None:
    assert registry.version_called(fakes.client, NAME, CHAMPION) is None
    fakes.client.create_registered_model(NAME)
    assert registry.version_called(fakes.client, NAME, CHAMPION) is None


def made_by_hand(fakes: FakeRuns, accuracy: float) -> tuple[str, str]:
    """A version that a person registered and called the champion, with the ids of its run and model."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    run_id = fakes.client.create_run(fakes.experiment, tags={"data": "mnist"}).info.run_id
    tag = InputTag("mlflow.data.context", "valid")
    digest = "images of mnist"[:12]
    fakes.client.log_inputs(run_id, [DatasetInput(Dataset("mnist valid", digest, "local", "{}"), [tag])])
    for step, value in enumerate((0.5, accuracy)):
        fakes.client.log_metric(run_id, "valid/accuracy", value, step=step)
    logged = fakes.client.create_logged_model(fakes.experiment, source_run_id=run_id)
    fakes.client.create_registered_model(NAME)
    made = fakes.client.create_model_version(
        NAME, f"models:/{logged.model_id}", run_id, model_id=logged.model_id, await_creation_for=0
    )
    fakes.client.set_registered_model_alias(NAME, CHAMPION, made.version)
    return run_id, logged.model_id


@pytest.mark.parametrize(
    ("accuracy", "found"), [(0.95, "version 1 had 0.9000"), (0.8, "leaves version 1 the champion")]
)
def test_a_champion_made_by_hand_is_compared_by_its_run(fakes: FakeRuns, accuracy: float, found: str) -> None:
    made_by_hand(fakes, 0.9)
    assert found in register(fakes, accuracy)


@pytest.mark.parametrize("lost", ["model", "run"])
def test_a_champion_without_its_run_or_model_yields_to_the_next(fakes: FakeRuns, lost: str) -> None:
    run_id, model_id = made_by_hand(fakes, 0.99)
    if lost == "model":
        fakes.client.delete_logged_model(model_id)
    else:
        fakes.client.delete_run(run_id)
    assert "the run or the model of version 1, the champion before, was deleted" in register(fakes, 0.1)


@pytest.mark.parametrize("collected", [False, True], ids=["deleted", "and collected"])
def test_a_champion_without_its_run_yields_to_the_best_of_the_others(fakes: FakeRuns, collected: bool) -> None:
    for accuracy in (0.9, 0.95, 0.93, 0.91):
        register(fakes, accuracy)
    runs = {version: fakes.client.get_model_version(NAME, version).run_id for version in (2, 3)}
    fakes.client.delete_run(runs[2])
    if collected:
        fakes.client._tracking_client.store._hard_delete_run(runs[2])  # as `mlflow gc` does
    assert load_model.run_called(fakes.client, "mnist-lstm", NAME, CHAMPION) == runs[3]
    assert "leaves version 3 the champion" in (said := register(fakes, 0.92))
    assert said.endswith("(the champion before, version 2, is gone)")
    assert fakes.client.get_model_version_by_alias(NAME, CHAMPION).version == 3


def test_a_model_is_called_by_any_alias_and_one_without_a_run_is_refused_in_a_line(fakes: FakeRuns) -> None:
    run_id, _ = made_by_hand(fakes, 0.9)
    fakes.client.set_registered_model_alias(NAME, "proven", 1)
    assert load_model.run_called(fakes.client, "mnist-lstm", NAME, "proven") == run_id
    assert load_model.run_called(fakes.client, "mnist-lstm", "other", f"models:/{NAME}@proven") == run_id
    assert load_model.run_called(fakes.client, "mnist-lstm", "other", f"models:/{NAME}/1") == run_id
    with pytest.raises(UserError, match=f"'{NAME}/2'"):
        load_model.run_called(fakes.client, "mnist-lstm", "other", f"models:/{NAME}/2")
    fakes.client._tracking_client.store._hard_delete_run(run_id)  # as `mlflow gc` does
    with pytest.raises(UserError, match="its 'proven', must have its run, found none with the id"):
        load_model.run_called(fakes.client, "mnist-lstm", NAME, "proven")


def test_a_champion_of_a_model_that_has_none_is_refused_by_the_model_and_not_taken_for_a_run(fakes: FakeRuns) -> None:
    with pytest.raises(UserError, match="the registered model 'letters-lstm' has no champion; train one"):
        load_model.run_called(fakes.client, "mnist-lstm", NAME, f"letters-lstm@{CHAMPION}")


def test_an_exported_model_is_refused_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "classifier.onnx").write_bytes(b"onnx")
    with pytest.raises(UserError, match=r"must be a checkpoint \(\*\.pt, .*found '.*classifier.onnx'"):
        load_model.model_and_run(tmp_path, str(tmp_path / "classifier.onnx"))


def test_the_latest_is_the_newest_run_whose_model_need_not_be_registered(fakes: FakeRuns) -> None:
    registered = fakes.record("registered", wrong=None, tags={tags.WEIGHTS: "1"})
    fakes.client.create_registered_model(NAME)
    fakes.client.create_model_version(NAME, "file:///model", registered)
    newest = fakes.record("newest", wrong=None, tags={tags.WEIGHTS: "2"})
    assert load_model.run_called(fakes.client, "mnist-lstm", NAME, LATEST) == newest


# runs


def test_a_run_registers_its_model_with_the_decision(finished: Project) -> None:
    run, version = finished.last_run(), finished.client().get_model_version_by_alias("digits-lstm", CHAMPION)
    assert (version.run_id, version.version) == (run.info.run_id, 1)
    assert version.tags[DECISION].partition(": ")[2] == run.data.tags[DECISION] == "became the champion, the first one"
    assert float(version.tags["valid/accuracy"]) == run.data.metrics["valid/accuracy"]


@pytest.mark.slow
def test_a_run_within_the_margin_leaves_the_champion_and_one_beyond_it_becomes_it(project: Project) -> None:
    sentences = []
    for parameters in ("iterations=20", "iterations=200,tracking.registry.margin=0.99", "iterations=200"):
        done = project.invoke("--params", f"data.name=digits,training.{parameters}", *PLAIN)
        assert done.exit_code == 0, done.output
        sentences.append(next(line for line in done.output.splitlines() if line.startswith("Registered")))
    assert sentences[1].startswith("Registered no version of digits-lstm: this model leaves version 1 the champion")
    assert sentences[2].startswith("Registered digits-lstm version 2 became the champion")
    assert project.client().get_model_version_by_alias("digits-lstm", CHAMPION).version == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [["--params", f"{DIGITS},tracking.register=false", *PLAIN], ["--params", DIGITS, "--to-nodes", "export"]]
)
def test_without_registration_or_evaluation_nothing_is_registered(project: Project, options: list[str]) -> None:
    done = project.invoke(*options)
    assert done.exit_code == 0, done.output
    assert "Registered" not in done.output
    assert project.client().search_registered_models() == []


@pytest.mark.slow
def test_a_run_finishes_though_the_registry_refuses_its_model(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "register", mock.Mock(side_effect=OSError("no registry here")))
    assert project.invoke("--params", DIGITS, *PLAIN).exit_code == 0
    assert project.last_run().info.status == "FINISHED"


def test_a_reproduction_does_not_register_unless_its_code_is_too_old_to_know_the_setting(
    finished: Project, tmp_path: Path
) -> None:
    then = reader.read(finished.client(), finished.last_run())
    old = copied(tmp_path)
    (old.path / "conf/base/mlflow.yml").write_text("tracking: {enabled: true}\n")
    again = rerun.Again(then, finished.path, "", "mnist-lstm")
    found = [rerun._options(again, "again", place)["params"]["tracking"] for place in (finished.path, old.path)]
    assert [tracking.get("register") for tracking in found] == [False, None]
