import shutil
from pathlib import Path

import mlflow
import pytest

from mnist_lstm.errors import UserError
from mnist_lstm.tracking import reader, store
from mnist_lstm.tracking.moved import ARTIFACTS
from mnist_lstm.tracking.tags import WEIGHTS


def recorded(project: Path, content: str) -> str:
    """A run with one artifact in the project's own store."""
    uri = store.own_uri(project)
    client = store.client(project, uri)
    run = client.create_run(store.experiment_id(client, "digits", project, uri))
    client.log_text(run.info.run_id, content, "note.txt")
    return str(run.info.run_id)


@pytest.fixture
def moved(tmp_path: Path, empty_store: Path) -> tuple[Path, str]:
    """A project with a run, moved to another folder, and the run's id."""
    before, after = tmp_path / "my before", tmp_path / "my after"
    before.mkdir()
    shutil.copy(empty_store, before)
    run_id = recorded(before, "first")
    before.rename(after)
    return after, run_id


def test_a_moved_project_reads_and_writes_its_artifacts_where_it_lies_now(moved: tuple[Path, str]) -> None:
    project, run_id = moved
    second = recorded(project, "second")
    client = store.client(project, store.own_uri(project))
    assert [reader.fetched(client, each, "note.txt") for each in (run_id, second)] == [b"first", b"second"]
    assert len(list(project.rglob("note.txt"))) == 2
    assert not (project.parent / "my before").exists()


def test_a_copy_of_a_project_does_not_touch_the_original(moved: tuple[Path, str]) -> None:
    project, _ = moved
    store.client(project, store.own_uri(project))
    copy = project.with_name("copy")
    shutil.copytree(project, copy)
    recorded(copy, "in the copy")
    assert (len(list(project.rglob("note.txt"))), len(list(copy.rglob("note.txt")))) == (1, 2)


def test_a_link_to_a_project_is_no_move(moved: tuple[Path, str], caplog: pytest.LogCaptureFixture) -> None:
    project, _ = moved
    store.client(project, store.own_uri(project))
    caplog.clear()
    link = project.with_name("link")
    link.symlink_to(project)
    store.client(link, store.own_uri(link))
    assert "moved" not in caplog.text


def test_artifacts_that_a_user_placed_elsewhere_stay_there(tmp_path: Path, empty_store: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    shutil.copy(empty_store, project)
    place = (tmp_path / "disk" / "mlartifacts").as_uri()
    client = mlflow.MlflowClient(store.own_uri(project))
    made = client.create_experiment("elsewhere", artifact_location=place)
    store.client(project, store.own_uri(project))
    assert client.get_experiment(made).artifact_location == place


def test_a_file_that_a_run_wrote_and_that_is_gone_is_named_with_its_place(moved: tuple[Path, str]) -> None:
    project, run_id = moved
    client = store.client(project, store.own_uri(project))
    shutil.rmtree(project / ARTIFACTS)
    early = str(reader.missing(client.get_run(run_id), "checkpoint.pt", "did not train"))
    client.set_terminated(run_id)
    other = str(reader.missing(client.get_run(run_id), "checkpoint.pt", "did not train"))
    client.set_tag(run_id, WEIGHTS, "0")
    gone = str(reader.missing(client.get_run(run_id), "checkpoint.pt", "did not train"))
    assert "found none: the run did not train" in other
    assert "found none yet: it is running" in early
    assert f"the run wrote it, but {(project / ARTIFACTS).as_uri()}" in gone


@pytest.mark.parametrize("name", ["a%2Fb", "a%20b", "a?b"])
def test_a_folder_whose_name_mlflow_misreads_is_refused_at_once(tmp_path: Path, name: str) -> None:
    project = tmp_path / name
    with pytest.raises(UserError, match=r"must not hold '(%2F|%20|\?)'"):
        store.client(project, store.own_uri(project))
