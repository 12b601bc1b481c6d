import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import mlflow
import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose

from mnist_lstm.core.data.bundled_digits import bundled_digits
from mnist_lstm.core.training.checkpoint import from_bytes, weights_digest
from mnist_lstm.parameters import checked
from mnist_lstm.sections import flattened
from mnist_lstm.tracking import load_model, store
from mnist_lstm.tracking.payloads import CURVES
from tests.support.projects import DIGITS, PLAIN, TESTED, Project, copied, surroundings

DRAWN = [
    *("accuracy_by_step", "beliefs", "calibration", "classes"),
    *("confusion_matrix", "learning_curves", "mistakes", "states"),
]
ARTIFACTS = {
    *("checkpoint.pt", "predictions.npz", "provenance.json"),
    *(f"figures/{name}.png" for name in DRAWN),
    *(f"report/{name}" for name in ("explain.html", "model_card.md", "report.html")),
    *(f"tables/{name}" for name in ("accuracy_by_step.csv", "confusion_matrix.csv", "metrics.json", "per_class.csv")),
}


@pytest.fixture
def run(finished: Project) -> Any:
    return finished.last_run()


@pytest.fixture
def artifacts(finished: Project, run: Any) -> Path:
    return finished.path / f"mlartifacts/mnist-lstm/{run.info.run_id}/artifacts"


def test_a_run_is_recorded_once_as_finished_and_without_a_reason(finished: Project) -> None:
    found = [(run.info.status, run.info.run_name, run.data.tags.get("reason")) for run in finished.runs()]
    assert found == [("FINISHED", "lstm128 rows s1 digits", None)]


def test_the_provenance_has_every_parameter_and_the_page_those_with_an_effect(artifacts: Path, run: Any) -> None:
    recorded = json.loads((artifacts / "provenance.json").read_text())["parameters"]
    assert checked(recorded).model_dump() == recorded
    every = {key: str(value) for key, value in flattened(recorded).items()}
    assert run.data.params.items() < every.items()
    assert {"model.hidden_size", "training.seed", "data.name"} <= run.data.params.keys()
    without_effect = {"data.timeout", "training.report_seconds", "sequence.patch_size", "training.augmentation.shear"}
    assert not without_effect & run.data.params.keys()


def test_metrics_belong_to_a_split_and_those_of_the_test_are_the_reports(finished: Project, run: Any) -> None:
    report = finished.read("08_reporting/metrics.json")
    metrics = {f"test/{name}" for name in ("accuracy", "balanced_accuracy", "ece", "loss", "macro_f1")}
    found = {name: value for name, value in run.data.metrics.items() if name.startswith("test/")}
    assert found == {name: report[name] for name in metrics}
    assert {name.partition("/")[0] for name in run.data.metrics} == {"train", "valid", "test"}


def test_the_curves_are_those_of_the_report(finished: Project, run: Any) -> None:
    history = pd.read_csv(finished.path / "data/08_reporting/history.csv")
    for column, curve in CURVES.items():
        points = finished.client().get_metric_history(run.info.run_id, curve)
        reported = history.dropna(subset=[column]).set_index("iteration")[column]
        assert {point.step: point.value for point in points} == pytest.approx(reported.to_dict(), rel=1e-12)


def test_the_data_are_recorded_as_inputs_with_their_digests(finished: Project, run: Any) -> None:
    digests = finished.read("02_intermediate/data_card.json")["sha256"]
    inputs = {entry.dataset.name: (entry.tags[0].value, entry.dataset.digest) for entry in run.inputs.dataset_inputs}
    assert inputs == {f"digits {split}": (split, digests[split][:32]) for split in ("train", "valid", "test")}


def test_the_metrics_are_linked_to_the_model_and_to_the_test_images(finished: Project, run: Any) -> None:
    (model,) = run.outputs.model_outputs
    metrics = finished.client().get_logged_model(model.model_id).metrics
    linked = {metric.key: metric.dataset_name for metric in metrics if metric.key.startswith("test/")}
    assert linked == dict.fromkeys((name for name in run.data.metrics if name.startswith("test/")), "digits test")


def test_the_artifacts_are_complete_and_the_files_that_the_run_wrote(
    finished: Project, artifacts: Path, run: Any
) -> None:
    assert {str(path.relative_to(artifacts)) for path in artifacts.rglob("*.*")} == ARTIFACTS
    for written in (
        finished.path / "data" / name for name in ("07_model_output/predictions.npz", "08_reporting/report.html")
    ):
        (recorded,) = artifacts.rglob(written.name)
        assert recorded.read_bytes() == written.read_bytes()
    checkpoint = from_bytes((artifacts / "checkpoint.pt").read_bytes(), "checkpoint.pt")
    assert run.data.tags["weights.sha256"] == weights_digest(checkpoint.weights)


def test_a_run_has_few_tags_and_a_description(run: Any) -> None:
    shown = {key for key in run.data.tags if not key.startswith("mlflow.")}
    assert shown == {
        *("data", "device", "preset", "processor", "training.fingerprint", "training.precision", "training.updates"),
        *("weights.sha256", "champion.decision", "registered.version"),
    }
    facts = {"preset": "base", "training.precision": "portable", "data": "bundled 8x8 digits (not MNIST)"}
    assert run.data.tags.items() >= (facts | {"mlflow.source.name": "kedro run --params data.name=digits"}).items()
    assert run.data.tags["mlflow.note.content"].startswith("96.")


@pytest.fixture
def model(finished: Project, run: Any) -> Iterator[str]:
    """The URI of the recorded model, for an MLflow that may not unpickle."""
    import mlflow

    safe = surroundings() | {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}
    with mock.patch.dict(os.environ, safe, clear=True):
        mlflow.set_tracking_uri(f"sqlite:///{finished.path / 'mlflow.db'}")
        yield f"models:/{run.outputs.model_outputs[0].model_id}"


@pytest.fixture
def loaded(model: str) -> Any:
    import mlflow

    return mlflow.pytorch.load_model(model)


def test_the_recorded_model_gives_the_recorded_predictions_without_pickle(loaded: Any, finished: Project) -> None:
    with np.load(finished.path / "data/07_model_output/predictions.npz", allow_pickle=False) as predictions:
        expected = torch.from_numpy(predictions["logits"]).softmax(dim=1).numpy()
    images = torch.from_numpy(bundled_digits().test.images).float()
    for count in (1, len(images)):
        assert_allclose(loaded(images[:count]).detach().numpy(), expected[:count], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("pixel", [0.5, -1.0, 1.0, 256.0, float("nan"), float("inf")])
def test_the_recorded_model_refuses_invalid_pixels(loaded: Any, pixel: float) -> None:
    images = torch.zeros(2, 8, 8)
    images[1, 3, 4] = pixel
    with pytest.raises(RuntimeError, match="pixels must be whole numbers from 0 to 255"):
        loaded(images)


def test_the_recorded_model_is_signed_with_raw_images(model: str) -> None:
    import mlflow

    signature = mlflow.models.get_model_info(model).signature
    assert signature.inputs.to_dict()[0]["tensor-spec"] == {"dtype": "float32", "shape": (-1, 8, 8)}
    assert signature.outputs.to_dict()[0]["tensor-spec"] == {"dtype": "float32", "shape": (-1, 10)}


def test_a_second_run_in_a_project_is_recorded_with_its_own_artifacts(short: Project, tmp_path: Path) -> None:
    project = short.copied_to(tmp_path)
    assert project.invoke("--params", f"{DIGITS},training.seed=2", *TESTED).exit_code == 0
    second, first = (
        (Path(run.info.artifact_uri.removeprefix("file://")) / "predictions.npz").read_bytes() for run in project.runs()
    )
    assert second == (project.path / "data/07_model_output/predictions.npz").read_bytes()
    assert first == (short.path / "data/07_model_output/predictions.npz").read_bytes() != second


def test_a_run_that_starts_after_training_finds_and_records_what_the_run_before_it_did(
    short: Project, tmp_path: Path
) -> None:
    project, logits = short.copied_to(tmp_path), "data/07_model_output/predictions.npz"
    (project.path / logits).unlink()
    assert project.invoke("--from-nodes", "predict_test", "--params", DIGITS, *TESTED).exit_code == 0
    assert (project.path / logits).read_bytes() == (short.path / logits).read_bytes()
    run = project.last_run()
    assert run.info.run_name == "lstm128 rows s1 iterations=30 digits"
    used = {entry.dataset.name for entry in run.inputs.dataset_inputs}
    assert used == {f"digits {split}" for split in ("train", "valid", "test")}
    assert run.data.metrics["test/accuracy"] == short.last_run().data.metrics["test/accuracy"]


def test_a_run_may_be_given_a_name(project: Project) -> None:
    assert project.invoke("--params", f"{DIGITS},tracking.run.name=my run", "--to-nodes", "ingest").exit_code == 0
    assert project.last_run().info.run_name == "my run"


def test_a_run_is_recorded_beside_one_that_a_notebook_has_open(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = store.client(project.path, store.own_uri(project.path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.own_uri(project.path))
    with mlflow.start_run(experiment_id=client.create_experiment("notebook")) as outer:
        done = project.invoke("--params", DIGITS, *PLAIN)
        still = mlflow.active_run()
        assert still
        assert still.info.run_id == outer.info.run_id
    assert done.exit_code == 0, done.output
    assert "waits" not in done.output
    run, around = project.last_run(), client.get_run(outer.info.run_id)
    (model,) = client.search_logged_models([run.info.experiment_id])
    assert (run.info.status, model.source_run_id, model.status) == ("FINISHED", run.info.run_id, "READY")
    assert [each.model_id for each in run.outputs.model_outputs] == [model.model_id]
    assert around.outputs.model_outputs == []


def test_a_model_that_could_not_be_sent_at_first_is_logged_once(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        refuse = mock.Mock(side_effect=mlflow.exceptions.MlflowException("no room"))
        broken.setattr(mlflow.MlflowClient, "log_model_artifacts", refuse)
        project.invoke("--params", DIGITS, *PLAIN)
    assert refuse.call_count
    assert project.call("sync-runs").exit_code == 0
    client, run = store.client(project.path, store.own_uri(project.path)), project.last_run()
    (model,) = client.search_logged_models([run.info.experiment_id])
    assert (model.status, model.source_run_id) == ("READY", run.info.run_id)
    monkeypatch.setattr(store, "opened", lambda _: (client, "", "mnist-lstm", "digits-lstm"))
    assert load_model.logged_model(project.path, run.info.run_id) == f"models:/{model.model_id}"


def test_without_tracking_a_run_does_the_same_and_makes_no_store(short: Project, tmp_path: Path) -> None:
    untracked = copied(tmp_path)
    done = untracked.invoke("--params", f"{DIGITS},tracking.enabled=false", *TESTED)
    assert done.exit_code == 0, done.output
    assert "Recorded   not by MLflow (tracking.enabled is false)" in done.output
    tracked, made = (
        {
            path.relative_to(of.path): path.read_bytes()
            for path in (of.path / "data").rglob("*.*")
            if path.suffix != ".pt2"
        }
        for of in (short, untracked)
    )
    assert made == tracked
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("ml")]


def test_without_tracking_a_run_does_not_change_the_run_before_it_in_the_same_process(project: Project) -> None:
    assert project.invoke("--params", DIGITS, "--to-nodes", "reshape").exit_code == 0
    before = project.last_run().to_dictionary()
    done = project.invoke("--params", f"{DIGITS},training.seed=2,tracking.enabled=false", "--to-nodes", "reshape")
    assert done.exit_code == 0
    assert project.last_run().to_dictionary() == before
