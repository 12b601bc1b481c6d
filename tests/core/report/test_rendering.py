from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from plotly.graph_objects import Figure

from mnist_lstm.core.report.rendering import HTML, render
from tests.core.report.reader import Reader

STUDY = {"title": "t", "lines": ["l"], "figures": [], "headings": ["h"], "rows": [["r"]], "compares": False}
table: Any = HTML.get_template("macros.html.j2").module.table  # type: ignore[attr-defined]


@given(st.text(min_size=1).filter(lambda found: found.isprintable()))
def test_whatever_a_text_holds_it_stays_a_text(found: str) -> None:
    seen = Reader(table([found], [[found, found]], codes=1))
    assert {tag for tag, _ in seen.tags} == {"div", "table", "thead", "tbody", "tr", "th", "td", "code"}
    assert [text for text in seen.texts if text != "\n" or found == text].count(found) == 3


@pytest.mark.parametrize("missing", STUDY)
def test_a_value_that_nobody_gives_is_an_error(missing: str) -> None:
    with pytest.raises(UndefinedError, match=missing):
        render("study.html.j2", **{name: value for name, value in STUDY.items() if name != missing})


def test_a_page_of_plotly_figures_holds_the_script_once_and_escapes_the_names() -> None:
    evil = "</script><i>"
    figure = Figure(layout={"title": evil})
    values = {"title": evil, "lines": [evil], "headings": [evil], "rows": [[evil]], "figures": [figure] * 2}
    page = render("study.html.j2", **STUDY | values)
    seen = Reader(page)
    assert page.count("plotly.js v") == 1
    assert page.count('class="plotly-graph-div"') == 2
    assert "i" not in {tag for tag, _ in seen.tags}
    assert evil in seen.texts


def test_the_policy_of_a_page_with_scripts_forbids_the_browser_to_fetch_anything() -> None:
    (policy,) = [tag[1]["content"] for tag in Reader(render("study.html.j2", **STUDY)).tags if "http-equiv" in tag[1]]
    scripts = "script-src 'unsafe-inline' 'unsafe-eval'"
    assert policy == f"default-src 'none'; img-src data: blob:; {scripts}; style-src 'unsafe-inline'"


def test_an_address_in_a_line_is_a_link() -> None:
    address = "http://127.0.0.1:5000/#/experiments/1/runs/2?workflowType=machine_learning"
    page = render("study.html.j2", **STUDY | {"lines": [f"4 trials; {address} (kedro ui)"]})
    assert [tag[1]["href"] for tag in Reader(page).tags if tag[0] == "a"] == [address]
