"""A study as an HTML page: its result, figures and table of trials."""

from typing import Any

from mnist_lstm.core.report.rendering import render


def page(lines: list[str], rows: list[dict[str, Any]], figures: list[Any]) -> str:
    """A page that needs no network.

    Args:
        lines: what was found, a line each; the first is the title.
        rows: of the table, a dict by column for each trial, at least one.
        figures: plotly figures.
    """
    cells = [list(row.values()) for row in rows]
    return render("study.html.j2", title=lines[0], lines=lines[1:], figures=figures, headings=list(rows[0]), rows=cells)
