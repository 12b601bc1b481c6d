"""The report, and a page of plotly figures, in a real browser: offline, without an error, as wide as a phone."""

import io
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from plotly.graph_objects import Figure as PlotlyFigure

from mnist_lstm.core.report.captions import COLOURED
from mnist_lstm.core.report.page import page
from mnist_lstm.core.report.rendering import render
from mnist_lstm.pipelines.report.pipeline import FIGURES
from tests.core.report.test_rendering import STUDY
from tests.support import finished
from tests.support.browser import Watched


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    picture = io.BytesIO()
    Figure(figsize=(8, 4)).savefig(picture, format="png")
    path = Path(tmp_path_factory.mktemp("report")) / "report.html"
    path.write_text(page(finished.run(), dict.fromkeys(FIGURES, picture.getvalue())), encoding="utf-8")
    return path.as_uri()


def test_a_page_of_plotly_figures_draws_them_under_its_policy(browser: Any, tmp_path: Path) -> None:
    lines = PlotlyFigure(data=[{"type": "parcoords", "dimensions": [{"values": [1, 2]}, {"values": [2, 1]}]}])
    path = tmp_path / "study.html"
    path.write_text(render("study.html.j2", **STUDY | {"figures": [lines], "compares": True}), encoding="utf-8")
    watched = Watched(browser, viewport={"width": 360, "height": 800})
    watched.page.goto(path.as_uri())
    watched.page.wait_for_selector(".plotly-graph-div .parcoords")
    assert watched.asked_beside(path.as_uri()) == []
    assert [said for said in watched.told if "GL Driver Message" not in said] == []
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= 360
    watched.page.close()


@pytest.mark.parametrize("width", [360, 1200])
def test_the_report_asks_for_nothing_and_fits_the_screen(browser: Any, report: str, width: int) -> None:
    watched = Watched(browser, viewport={"width": width, "height": 800})
    seen = watched.page
    seen.goto(report)
    assert watched.asked_beside(report) == []
    assert watched.told == []
    assert seen.evaluate("document.documentElement.scrollWidth") <= width
    assert seen.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    seen.close()


def test_the_report_is_dark_where_the_reader_prefers_it(browser: Any, report: str) -> None:
    colours = []
    for scheme in ("light", "dark"):
        seen = browser.new_page(color_scheme=scheme)
        seen.goto(report)
        colours.append(seen.evaluate("getComputedStyle(document.body).backgroundColor"))
        seen.close()
    assert colours == ["rgb(255, 255, 255)", "rgb(22, 24, 27)"]


def test_a_dark_report_inverts_line_charts_and_leaves_pictures_and_colour_scales(browser: Any, report: str) -> None:
    seen = browser.new_page(color_scheme="dark")
    seen.goto(report)
    filters = seen.evaluate("[...document.querySelectorAll('figure .wide')].map(each => getComputedStyle(each).filter)")
    assert [name for name, found in zip(FIGURES, filters, strict=True) if "invert" not in found] == list(COLOURED)
    seen.close()
