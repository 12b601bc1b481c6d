"""The static pages of Kedro-Viz in a real browser: the whole graph, with previews, and nothing of the machine."""

import functools
import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mnist_lstm import viz_site
from mnist_lstm.errors import UserError
from mnist_lstm.pipeline_registry import STAGES
from mnist_lstm.viz_site import build
from tests.support.browser import Watched
from tests.support.guard import attempts, guarded
from tests.support.projects import KEDRO, Project, made_once, surroundings, wait_for

BUILD = """
import json, pathlib
for name, content in json.loads(pathlib.Path("content.json").read_text()).items():
    path = pathlib.Path("build", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
print("something failed")
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def pages(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages that `kedro site` makes where connections to other machines are counted."""

    def make(folder: Path) -> None:
        environment = surroundings() | guarded(folder / "guard")
        project = finished.copied_to(folder / "project")
        done = subprocess.run([KEDRO, "site"], cwd=project.path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    return made_once(tmp_path_factory, "site", make) / "project/build"


@pytest.fixture(scope="module")
def url(pages: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=pages))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.mark.slow  # they are built in 14 s; the next test is of the same rule
def test_the_pages_are_built_without_asking_another_machine_and_hold_no_path_of_this_one(pages: Path) -> None:
    assert attempts(pages.parents[1] / "guard") == []
    said = [path for path in (pages / "api").rglob("*") if path.is_file()]
    assert len(said) > 40
    for path in said:
        text = path.read_text(encoding="utf-8")
        assert str(pages.parent) not in text, path
        assert str(Path.home()) + "/" not in text, path


@pytest.fixture
def viz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which `kedro viz build` writes the files of content.json and exits with 0."""
    monkeypatch.setattr(viz_site, "BUILD", [sys.executable, "-c", BUILD])
    (tmp_path / "build/api").mkdir(parents=True)
    for name in (*viz_site.COMPLETE, "older.html"):
        (tmp_path / "build" / name).write_text("of an older build")
    return tmp_path


def test_new_pages_replace_the_older_ones_and_hold_no_error_of_a_run(viz: Path) -> None:
    status = {
        "nodes": {"a": {"status": "failed", "error": {"message": "m", "traceback": "t"}}},
        "pipeline": {"error": "e"},
    }
    content = {"index.html": str(viz), "api/run-status": json.dumps(status), "api/deploy-viz-metadata": "{}"}
    (viz / "content.json").write_text(json.dumps(content))
    made = build(viz)
    assert json.loads((made / "api/run-status").read_text()) == {
        "nodes": {"a": {"status": "failed", "error": None}},
        "pipeline": {"error": None},
    }
    assert not (made / "older.html").exists()
    assert (made / "index.html").read_text() == "."
    assert sorted(path.name for path in viz.iterdir()) == ["build", "content.json"]


def test_a_build_that_failed_is_reported_though_it_exits_with_0_and_the_older_pages_stay(viz: Path) -> None:
    (viz / "content.json").write_text(json.dumps({"index.html": "", "api/main": "{}"}))
    with pytest.raises(UserError, match="must build the pages, found exit code 0: something failed"):
        build(viz)
    assert sorted(path.name for path in (viz / "build").iterdir()) == ["api", "index.html", "older.html"]
    assert sorted(path.name for path in viz.iterdir()) == ["build", "content.json"]


@pytest.mark.parametrize("absent", ["index.html", "api/deploy-viz-metadata"])  # other tools write an index.html, too
def test_what_is_no_page_of_an_older_build_is_not_replaced(viz: Path, absent: str) -> None:
    (viz / "build" / absent).unlink()
    with pytest.raises(UserError, match="build must be absent or hold earlier pages"):
        build(viz)
    assert (viz / "build/older.html").exists()


PLACES = """[...document.querySelectorAll(".pipeline-node__text")].map((node) =>
  [node.getBoundingClientRect().x, node.getBoundingClientRect().y, node.textContent])"""


def test_the_first_view_has_a_box_for_each_stage_from_left_to_right(browser: Any, url: str) -> None:
    watched = Watched(browser, viewport={"width": 1500, "height": 950})
    watched.page.goto(url + viz_site.FIRST_VIEW)

    def in_a_row() -> bool:
        """Whether they have moved to their places."""
        watched.page.wait_for_timeout(200)
        places = sorted(watched.page.evaluate(PLACES))
        return tuple(name for *_, name in places) == STAGES and len({round(y) for _, y, _ in places}) == 1

    wait_for(in_a_row)
    watched.page.wait_for_load_state("networkidle")
    assert watched.asked_beside(url) == []
    assert watched.told == []
    watched.page.close()


@pytest.mark.parametrize("dataset", ["train_images", "confusion_figure", "learning_curves_interactive"])
def test_a_dataset_shows_its_preview(browser: Any, url: str, dataset: str) -> None:
    watched = Watched(browser, viewport={"width": 1500, "height": 950})
    watched.page.goto(f"{url}?expandAllPipelines=true")
    watched.page.wait_for_selector(".pipeline-node__text")
    watched.page.get_by_text(dataset, exact=True).first.click()
    watched.page.wait_for_selector(
        ".pipeline-metadata img, .pipeline-metadata .plotly, .pipeline-metadata svg.main-svg"
    )
    assert watched.told == []
    watched.page.close()
