"""The page of `kedro compare`."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_lstm.core.data.splits import ImageSplit, digest
from mnist_lstm.core.plots.style import new_figure
from mnist_lstm.core.report.pictures import of_figure
from mnist_lstm.datasets.npz import ImagesDataset
from mnist_lstm.tracking.compare import page as pages
from mnist_lstm.tracking.compare.verdicts import LIMITS
from tests.support.browser import Watched
from tests.tracking.fake_runs import IMAGES, LABELS, FakeRuns


@pytest.fixture
def images(fakes: FakeRuns) -> str:
    """Test images in the project, and their digest in MLflow."""
    split = ImageSplit(np.random.default_rng(1).integers(0, 256, (IMAGES, 8, 8), np.uint8), LABELS)
    ImagesDataset(filepath=str(fakes.path / "data/02_intermediate/test_images.npz")).save(split)
    return digest(split.arrays())[:32]


def two(fakes: FakeRuns, digest: str = "same") -> list[str]:
    """Records the runs a and b, which disagree on 48 images; returns their ids."""
    return [fakes.record(name, wrong=wrong, digest=digest) for name, wrong in (("a", slice(0, 3)), ("b", slice(1, 50)))]


def compared(fakes: FakeRuns, *arguments: str) -> tuple[str, str]:
    """What `kedro compare` prints, and the page."""
    result = fakes.invoke(*arguments)
    assert result.exit_code == 0, result.output
    path = fakes.path / "data/08_reporting/compare.html"
    assert str(path) in result.output
    return result.output, path.read_text()


def test_the_command_prints_the_comparison_and_writes_a_page_that_needs_no_network(fakes: FakeRuns) -> None:
    fakes.record("bars lstm rows s1", wrong=slice(0, 37))
    fakes.record("bars gru rows s1", wrong=slice(100, 121), params={"model.cell": "gru"})
    output, page = compared(fakes, "--last", "2")
    for text in ("2 runs on same bars", "model.cell", "0.8950*", "larger than chance at 95%", LIMITS):
        assert text in output
    assert "Downloading" not in output
    assert max(map(len, output.split("Page:")[0].splitlines())) <= 100
    assert "0.8950*" in page
    assert "<script" not in page
    assert not re.search(r"""(src|href)=["'](?!#|data:)""", page)


def test_runs_that_differ_in_the_seed_alone_are_one_line(fakes: FakeRuns) -> None:
    for seed in (1, 2, 3):
        fakes.record(f"bars lstm s{seed}", wrong=slice(0, seed), params={"training.seed": seed})
    output, page = compared(fakes, "--last", "3")
    assert "bars lstm seeds 1 to 3" in output
    assert page.count("<li>") == 1
    assert "(3 runs)" in page


def test_the_images_on_which_runs_disagree_are_shown_with_their_answers(fakes: FakeRuns, images: str) -> None:
    two(fakes, digest=images)
    _, page = compared(fakes, "a", "b")
    assert page.count("<figcaption>is ") == pages.MOST_IMAGES
    first = re.findall(r"is (\d), number (\d+)<br>\s*<span(.*?)>A: (\d), .*?<span(.*?)>B: (\d), ", page, re.DOTALL)
    assert first[:2] == [("0", "0", ' class="wrong"', "1", "", "0"), ("3", "3", "", "3", ' class="wrong"', "4")]


def test_images_of_other_data_are_not_shown_as_those_of_the_runs(fakes: FakeRuns, images: str) -> None:
    two(fakes, digest=f"not {images}"[:32])
    _, page = compared(fakes, "a", "b")
    assert "<figcaption>is " not in page
    assert "data/02_intermediate holds those of other data" in page


def test_the_figures_that_runs_recorded_stand_side_by_side_up_to_the_size_that_a_page_may_have(
    fakes: FakeRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = tmp_path / "calibration.png"
    figure.write_bytes(of_figure(new_figure(4, "Reliability")))
    for run_id in two(fakes):
        fakes.client.log_artifact(run_id, str(figure), "figures")
    _, page = compared(fakes, "a", "b")
    assert re.findall(r"<h3>Calibration</h3>|<figcaption>(\w: \w)</figcaption>", page) == ["", "A: a", "B: b"]
    monkeypatch.setattr(pages, "MOST_BYTES", figure.stat().st_size)
    _, page = compared(fakes, "a", "b")
    assert "<h3>Calibration</h3>" not in page
    assert "left out, as the page would be too large" in page


def test_names_of_runs_cannot_break_the_page(fakes: FakeRuns) -> None:
    for seed in (1, 2):
        fakes.record("<script>alert(1)</script>", wrong=slice(0, 3), params={"training.seed": seed, "model.x": seed})
    assert "<script>" not in compared(fakes, "--last", "2")[1]


def test_nothing_is_fetched_and_nothing_is_wider_than_a_phone(browser: Any, fakes: FakeRuns, images: str) -> None:
    for name, wrong in (("a", slice(0, 3)), ("b", slice(1, 50))):
        fakes.record(f"{name} lstm128 rows s1 fast sgd learning_rate=0.1 mnist", wrong=wrong, digest=images)
    compared(fakes, "--last", "2")
    watched = Watched(browser, viewport={"width": 360, "height": 800})
    url = (fakes.path / "data/08_reporting/compare.html").as_uri()
    watched.page.goto(url)
    assert (watched.asked_beside(url), watched.told) == ([], [])
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert watched.page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    watched.page.close()
