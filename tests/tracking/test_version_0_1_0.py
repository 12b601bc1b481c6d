"""A run that version 0.1.0 stored while MLflow did not answer is sent, and the record is read."""

import json
import shutil
from pathlib import Path

import pytest

from mnist_lstm.core.training.checkpoint import weights_digest
from mnist_lstm.tracking import load_model
from mnist_lstm.tracking.compare.groups import grouped
from mnist_lstm.tracking.compare.runs import read
from mnist_lstm.tracking.compare.table import differences
from mnist_lstm.tracking.registry import CHAMPION
from mnist_lstm.tracking.spool import unsent
from tests.support.projects import Project, copied
from tests.tracking.fake_runs import without_tracking_uri

STORED = Path(__file__).parent / "spool/unsent_0_1_0"
SAME = "data.name=digits,training.iterations=10,model.hidden_size=4,training.precision=float32"


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Project:
    """A project whose store has received the run."""
    project = copied(tmp_path_factory.mktemp("old"))
    shutil.copy(empty_store, project.path)
    folder = project.path / unsent.FOLDER / "1"
    shutil.copytree(STORED, folder)
    unsent.write_run(folder, unsent.read_run(folder) | {"store": f"sqlite:///{project.path / 'mlflow.db'}"})
    done = project.call("sync-runs")
    assert done.exit_code == 0, done.output
    assert not folder.exists()
    return project


def test_the_stored_run_is_recorded_completely(old: Project) -> None:
    run = old.last_run()
    assert (run.info.status, run.info.run_name) == ("FINISHED", "digits lstm4 rows s1 iterations=10")
    assert (run.data.params["model.readout"], run.data.metrics["test/first_128_correct"]) == ("last", 7)
    assert len(run.inputs.dataset_inputs) == 3
    assert len(run.outputs.model_outputs) == 1
    stored = json.loads((STORED / "artifacts/provenance.json").read_text())
    assert run.data.tags["weights.sha256"] == stored["weights_sha256"]


def test_its_model_is_the_champion_and_is_loaded(old: Project) -> None:
    with without_tracking_uri():
        loaded = load_model.model_and_run(old.path, CHAMPION)[0]
    assert (loaded.model.hidden_size, loaded.model.pooling) == (4, "last")
    assert weights_digest(loaded.weights) == old.last_run().data.tags["weights.sha256"]


def test_it_has_the_parameters_of_a_run_of_today(old: Project, tmp_path: Path) -> None:
    project = old.copied_to(tmp_path)
    assert project.invoke("--params", SAME, "--to-nodes", "train").exit_code == 0
    ids = [run.info.run_id for run in project.runs()]
    with without_tracking_uri():
        found = read(project.path, ids, None)
    assert not [key for key in differences(grouped(found)) if "." in key]


def test_to_reproduce_it_asks_for_its_code_before_training(old: Project) -> None:
    before = len(old.runs())
    done = old.call("reproduce", old.last_run().info.run_id)
    assert (done.exit_code, len(old.runs())) == (2, before)
    assert "because the code" in done.output.splitlines()[-1]
    assert "--checkout uses the run's own code" in done.output.splitlines()[-1]
