from html import unescape
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markupsafe import Markup

from mnist_lstm.core.report.markdown import block, code, text
from mnist_lstm.core.report.rendering import MARKDOWN
from tests.core.report.reader import Reader

LINES = st.text(min_size=1).filter(str.isprintable).map(lambda found: " ".join(found.split())).filter(bool)
table: Any = MARKDOWN.get_template("macros.md.j2").module.table  # type: ignore[attr-defined]
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def seen(markdown: str) -> Reader:
    """What a browser sees of the Markdown."""
    return Reader(PARSER.render(markdown))


@given(LINES)
def test_whatever_a_text_or_a_value_holds_it_is_shown_as_it_is(found: str) -> None:
    read, shown = seen(f"Of {text(found)}."), seen(f"Of {code(found)}.")
    assert [tag for tag, _ in read.tags] == ["p"]
    assert "".join(read.texts).rstrip("\n") == f"Of {found}."
    assert [tag for tag, _ in shown.tags] == ["p", "code"]
    assert shown.texts[1] == found


@given(LINES, LINES)
def test_whatever_a_cell_holds_it_stays_in_its_cell(one: str, other: str) -> None:
    read = seen(table(["class", one], [(other, "x")], codes=1))
    cells = [tag for tag, _ in read.tags if tag in ("td", "th")]
    assert cells == ["th", "th", "td", "td"]
    assert {tag for tag, _ in read.tags} == {"table", "thead", "tbody", "tr", "th", "td", "code"}
    assert [found for found in read.texts if found.strip()] == ["class", one, other, "x"]


def test_a_bar_in_a_cell_does_not_end_it_and_markdown_is_not_escaped_again() -> None:
    lines = table(["class", "images"], [("a|b", 3)]).splitlines()
    assert lines == ["| class | images |", "|---|---|", r"| a\|b | 3 |"]
    assert text(Markup("**a**")) == "**a**"


def test_a_command_of_several_lines_stays_one_block() -> None:
    read = seen(block("kedro run --params 'a=<b>\n\n# c'"))
    assert [tag for tag, _ in read.tags] == ["pre", "code"]
    assert unescape("".join(read.texts)).strip() == "kedro run --params 'a=<b>\n\n# c'"
