"""Markdown from plain values: everything is escaped unless it is marked as Markdown already."""

import re
import textwrap
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

SPECIAL = re.compile(r"([\\`*_\[\]#~$])")  # with <, > and &, which become entities
BACKTICKS = re.compile("`+")


class Markdown(str):
    """Text that is Markdown already."""

    __slots__ = ()


def text(value: Any) -> Markdown:
    """A value as Markdown on one line: escaped, unless it is Markdown already."""
    if isinstance(value, Markdown):
        return value
    return Markdown(SPECIAL.sub(r"\\\1", escape(" ".join(str(value).split()), quote=False)))


def code(value: Any) -> Markdown:
    """A value as it is, between more backticks than it holds."""
    shown = " ".join(str(value).split())
    fence = "`" * (1 + max(map(len, BACKTICKS.findall(shown)), default=0))
    space = " " if "`" in shown else ""
    return Markdown(f"{fence}{space}{shown}{space}{fence}")


def block(command: str) -> Markdown:
    """A command on lines of its own."""
    return Markdown(textwrap.indent(command, "    ", lambda line: True))


def table(headings: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Markdown:
    """A table; a bar in a cell is written so that it does not end the cell."""
    rule = "|" + "---|" * len(headings)  # without spaces, or Kedro-Viz does not know it for a table
    return Markdown("\n".join([_row(headings), rule, *map(_row, rows)]))


def _row(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(text(cell).replace("|", r"\|") for cell in cells) + " |"
