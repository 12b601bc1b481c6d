"""A study as an HTML page: its result, figures and table of trials."""

import html
from typing import Any

CSS = (
    "body{font:15px system-ui,sans-serif;margin:2em}table{border-collapse:collapse}td,th{padding:.2em .8em;"
    "text-align:left}"
)


def page(told: list[str], rows: list[dict[str, Any]], drawn: list[Any]) -> str:
    """A page that needs no network: what was found, the figures and the table."""
    lines = "".join(f"<p>{html.escape(line)}</p>" for line in told)
    parts = [figure.to_html(full_html=False, include_plotlyjs=number == 0) for number, figure in enumerate(drawn)]
    head = "".join(f"<th>{html.escape(key)}</th>" for key in rows[0])
    cells = ("".join(f"<td>{html.escape(str(value))}</td>" for value in row.values()) for row in rows)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    opening = f"<!doctype html><meta charset=utf-8><title>{html.escape(told[0])}</title><style>{CSS}</style>"
    return f"{opening}{lines}{''.join(parts)}<table><tr>{head}</tr>{body}</table>"
