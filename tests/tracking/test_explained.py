"""`kedro explain` for a run whose page cannot be read: the page is made from its checkpoint and its test images."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from kedro.framework.startup import bootstrap_project

from mnist_lstm.core.data.splits import ImageSplit, digest
from mnist_lstm.core.explain.page import content_of
from mnist_lstm.errors import UserError
from mnist_lstm.tracking import explained as module
from mnist_lstm.tracking import load_model, reader, store
from tests.support import tiny
from tests.support.projects import Project
from tests.tracking.fake_runs import without_tracking_uri

IMAGES = ImageSplit(tiny.images(20), tiny.predictions().labels)
BY_STEP = b"step,accuracy,decided\n1,0.25,0.5\n2,0.75,1.0\n"


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, bytes]:
    """The artifacts of a run of the tiny network, to be changed; its test images lie in the project."""
    sha256 = {"test": digest(IMAGES.arrays())}
    files = {"provenance.json": json.dumps({"data": {"sha256": sha256}}).encode(), "accuracy_by_step.csv": BY_STEP}
    monkeypatch.setattr(store, "opened", lambda project: (None, None, "experiment", "model"))
    monkeypatch.setattr(load_model, "run_called", lambda *named: named[-1])
    monkeypatch.setattr(load_model, "of_run", lambda client, run_id: tiny.checkpoint())
    monkeypatch.setattr(reader, "fetched", lambda client, run_id, name: files.get(name))
    monkeypatch.setattr(reader, "predictions", lambda client, run_id: tiny.predictions())
    (tmp_path / module.TEST_IMAGES).parent.mkdir(parents=True)
    (tmp_path / module.TEST_IMAGES).touch()
    return files


@pytest.mark.parametrize("page", [None, b"<html>of another version</html>"])
def test_a_page_is_made_from_the_checkpoint(page: bytes | None, recorded: dict[str, bytes], tmp_path: Path) -> None:
    recorded |= {"explain.html": page} if page else {}
    written, run_id = module.explained(tmp_path, ("a run",), lambda: IMAGES)
    assert run_id == "a run"
    made: Any = content_of(written)
    assert made["images"]["labels"][:20] == IMAGES.labels.tolist()
    assert made["by_step"] == {"step": [1, 2], "accuracy": [0.25, 0.75]}
    assert made["snapshots"] == []


def test_a_page_that_the_run_recorded_needs_no_test_images(recorded: dict[str, bytes], tmp_path: Path) -> None:
    first, _ = module.explained(tmp_path, ("a run",), lambda: IMAGES)
    recorded["explain.html"] = first.encode()
    (tmp_path / module.TEST_IMAGES).unlink()
    assert module.explained(tmp_path, ("a run",), lambda: IMAGES)[0] == first


def test_other_test_images_or_none_are_refused(recorded: dict[str, bytes], tmp_path: Path) -> None:
    other = ImageSplit(255 - IMAGES.images, IMAGES.labels)
    with pytest.raises(UserError, match=r"recorded no page, so data/02_intermediate/test_images.npz must hold"):
        module.explained(tmp_path, ("a run",), lambda: other)
    (tmp_path / module.TEST_IMAGES).unlink()
    with pytest.raises(UserError, match=r"kedro run --pipelines ingest --params data.name=tiny"):
        module.explained(tmp_path, ("a run",), lambda: IMAGES)


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"kind": "series"}, "reads series of numbers: explain"),
        ({"cell": "mgu"}, "has the cell mgu: explain.html shows lstm"),
    ],
)
def test_a_network_that_the_page_cannot_show_is_refused(
    changed: dict[str, str], reason: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = tiny.checkpoint()
    shown = dataclasses.replace(
        made,
        data=dataclasses.replace(made.data, kind=changed.get("kind", "images")),
        model=made.model.model_copy(update={"cell": changed.get("cell", "lstm")}),
    )
    monkeypatch.setattr(load_model, "of_run", lambda client, run_id: shown)
    with pytest.raises(UserError, match=reason):
        module.explained(tmp_path, ("a run",), lambda: IMAGES)


def test_the_page_of_a_real_run_is_found_in_its_record(finished: Project) -> None:
    bootstrap_project(finished.path)  # as each command does
    with without_tracking_uri():
        written, run_id = module.explained(finished.path, ("latest",), lambda: pytest.fail("the page is recorded"))
        client = store.opened(finished.path).client
        assert reader.fetched(client, run_id, "accuracy_by_step.csv")
    assert run_id == finished.last_run().info.run_id
    assert written == (finished.path / "data/08_reporting/explain.html").read_text()
