"""A study as an HTML page: its result, figures and table of trials."""

from typing import Any

from mnist_lstm.core.report.rendering import render


def page(name: str, lines: list[str], rows: list[dict[str, Any]], figures: list[Any], compares: bool) -> str:
    """A page that needs no network.

    Args:
        name: of the study.
        lines: what was found, a line each, as on the terminal: the study, its data, and the best.
        rows: of the table, a dict by column for each trial, at least one.
        figures: plotly figures.
        compares: whether compare.html lies next to the page.
    """
    cells = [list(row.values()) for row in rows]
    study, data, best, *more = lines
    return render(
        "study.html.j2",
        title=f"Study {name}",
        lines=[best, *more, data, study],
        figures=figures,
        headings=list(rows[0]),
        rows=cells,
        compares=compares,
    )
