"""HTML from plain values: everything is escaped unless it is marked as HTML already."""

import base64
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from mnist_lstm.core.report.style import CSS


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(value: Any) -> Html:
    """A value as HTML: escaped, unless it is HTML already."""
    return value if isinstance(value, Html) else Html(escape(str(value)))


def element(tag: str, content: Any = "", **attributes: str) -> Html:
    """One element; `class_` stands for the attribute class."""
    written = "".join(f' {name.rstrip("_")}="{escape(value)}"' for name, value in attributes.items())
    return Html(f"<{tag}{written}>{text(content)}</{tag}>")


def joined(parts: Iterable[Html]) -> Html:
    """Several parts, each on its line."""
    return Html("\n".join(parts))


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Html:
    """A table whose first column names the rows, and that scrolls sideways on a narrow screen."""
    head = element("tr", joined(element("th", heading, scope="col") for heading in headings))
    body = joined(
        element("tr", joined([element("th", row[0], scope="row"), *(element("td", cell) for cell in row[1:])]))
        for row in rows
    )
    whole = element("table", joined([element("thead", head), element("tbody", body)]))
    return element("div", whole, class_="wide", tabindex="0")


def section(heading: str, *parts: Html) -> Html:
    """A part of the page under its heading."""
    return element("section", joined([element("h2", heading), *parts]))


def figure(png: bytes, alternative: str, caption: str) -> Html:
    """A picture inside the page, what it shows for those who cannot see it, and its caption."""
    source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    picture = Html(f'<div class="wide" tabindex="0"><img src="{source}" alt="{escape(alternative)}"></div>')
    return element("figure", joined([picture, element("figcaption", caption)]))


def document(title: str, *parts: Html) -> str:
    """A whole page that needs nothing but itself: its policy forbids the browser to fetch anything."""
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    head = joined(
        [
            Html('<meta charset="utf-8">'),
            Html(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
            Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Html('<meta name="color-scheme" content="light dark">'),
            Html('<link rel="icon" href="data:,">'),
            element("title", title),
            element("style", Html(CSS)),
        ]
    )
    page = joined([element("head", head), element("body", element("main", joined(parts)))])
    return f'<!DOCTYPE html>\n<html lang="en">\n{page}\n</html>\n'
