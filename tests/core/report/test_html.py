from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from mnist_lstm.core.report.html import Html, document, element, figure, table, text


class Reader(HTMLParser):
    """What a browser sees: elements with their attributes, and texts."""

    def __init__(self, page: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@given(st.text(min_size=1).filter(lambda found: found.isprintable()))
def test_whatever_a_text_holds_it_stays_a_text(found: str) -> None:
    seen = Reader(element("p", found, title=found))
    assert seen.tags == [("p", {"title": found})]
    assert "".join(seen.texts) == found


def test_html_is_not_escaped_again() -> None:
    assert text(Html("<b>")) == "<b>"
    assert element("p", element("b", "<")) == "<p><b>&lt;</b></p>"


def test_a_table_escapes_its_cells_and_headings() -> None:
    seen = Reader(table(["<i>"], [("<u>", "<s>")]))
    assert {tag for tag, _ in seen.tags} == {"div", "table", "thead", "tbody", "tr", "th", "td"}
    assert {"<i>", "<u>", "<s>"} <= set(seen.texts)


def test_a_figure_holds_its_picture_and_says_what_it_shows() -> None:
    (_, picture), *_ = [tag for tag in Reader(figure(b"\x89PNG", 'a "digit"', "<caption>")).tags if tag[0] == "img"]
    assert picture == {"src": "data:image/png;base64,iVBORw==", "alt": 'a "digit"'}


def test_a_documents_policy_forbids_the_browser_to_fetch_anything() -> None:
    policies = [tag[1]["content"] for tag in Reader(document("title")).tags if "http-equiv" in tag[1]]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]
