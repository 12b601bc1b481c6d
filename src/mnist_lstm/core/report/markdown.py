"""Filters that write plain values as Markdown: whatever a value holds, a reader sees it as it is."""

import re
import textwrap
from collections.abc import Sequence
from html import escape
from typing import Any

from markupsafe import Markup  # text that is in the language of its template already

SPECIAL = re.compile(r"([\\`*_\[\]#~$])")  # with <, > and &, which become entities
BACKTICKS = re.compile("`+")


def text(value: Any) -> Markup:
    """A value on one line, escaped unless it is Markdown already."""
    if isinstance(value, Markup):
        return value
    return Markup(SPECIAL.sub(r"\\\1", escape(" ".join(str(value).split()), quote=False)))


def code(value: Any) -> Markup:
    """A value as code, between more backticks than it holds."""
    shown = " ".join(str(value).split())
    fence = "`" * (1 + max(map(len, BACKTICKS.findall(shown)), default=0))
    space = " " if "`" in shown else ""
    return Markup(f"{fence}{space}{shown}{space}{fence}")


def block(command: str) -> Markup:
    """A command on lines of its own."""
    return Markup(textwrap.indent(command, "    ", lambda line: True))


def row(cells: Sequence[Any], codes: int = 0) -> Markup:
    """A row of a table whose last `codes` cells are code; a bar in a cell is escaped, so that it does not end it."""
    plain = len(cells) - codes
    written = [text(cell) if column < plain else code(cell) for column, cell in enumerate(cells)]
    return Markup("| " + " | ".join(cell.replace("|", r"\|") for cell in written) + " |")
