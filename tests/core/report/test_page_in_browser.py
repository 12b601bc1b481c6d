"""The report in a real browser: offline, without an error, within the width of a phone."""

import io
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from mnist_lstm.core.report import page
from mnist_lstm.pipelines.evaluate.pipeline import PRINTED
from tests.support import finished
from tests.support.browser import Watched


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    picture = io.BytesIO()
    Figure(figsize=(8, 4)).savefig(picture, format="png")
    path = Path(tmp_path_factory.mktemp("report")) / "report.html"
    path.write_text(page(finished.run(), dict.fromkeys(PRINTED, picture.getvalue())), encoding="utf-8")
    return path.as_uri()


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
