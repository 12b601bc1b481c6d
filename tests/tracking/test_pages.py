import json
from contextlib import nullcontext

import pytest
from mlflow.exceptions import MlflowException

from mnist_lstm.tracking import pages, store
from mnist_lstm.tracking.pages import NOTE
from tests.tracking.fake_runs import FakeRuns


def test_the_experiment_opens_for_training_with_a_view_and_a_link_to_it(fakes: FakeRuns) -> None:
    tags = fakes.client.get_experiment(fakes.experiment).tags
    assert tags["mlflow.experimentKind"] == "custom_model_development"
    state = json.loads(json.loads(tags["mlflow.sharedViewState.runs"])["state"])
    assert "metrics.`test/accuracy`" in state["selectedColumns"]
    assert f"#/experiments/{fakes.experiment}/runs?" in tags[NOTE]
    assert "viewStateShareKey=runs" in tags[NOTE]


def test_a_description_that_a_person_wrote_stays(fakes: FakeRuns) -> None:
    fakes.client.set_experiment_tag(fakes.experiment, NOTE, "mine")
    store.experiment_id(fakes.client, "mnist-lstm", fakes.path, f"sqlite:///{fakes.path}/mlflow.db")
    assert fakes.client.get_experiment(fakes.experiment).tags[NOTE] == "mine"


@pytest.mark.parametrize("same", [True, False])
def test_two_runs_may_describe_a_new_experiment_at_once(
    fakes: FakeRuns, monkeypatch: pytest.MonkeyPatch, same: bool
) -> None:
    stale = fakes.client.get_experiment(fakes.experiment)
    stale._tags = {}
    setting = fakes.client.set_experiment_tag

    def beaten(experiment: str, key: str, value: str) -> None:
        setting(experiment, key, value if same else "of another")
        raise MlflowException("UNIQUE constraint failed: experiment_tags.key, experiment_tags.experiment_id")

    monkeypatch.setattr(fakes.client, "set_experiment_tag", beaten)
    with nullcontext() if same else pytest.raises(MlflowException):
        pages.describe_experiment(fakes.client, stale)


@pytest.mark.parametrize(
    ("uri", "page"),
    [
        (
            "sqlite:////data/mlflow.db",
            "http://127.0.0.1:5000/#/experiments/1/runs/r?workflowType=machine_learning (kedro ui)",
        ),
        ("https://me:secret@host/mlflow/", "https://host/mlflow/#/experiments/1/runs/r?workflowType=machine_learning"),
    ],
)
def test_the_address_of_a_run_holds_no_password(uri: str, page: str) -> None:
    assert pages.run_page(uri, "1", "r") == page
