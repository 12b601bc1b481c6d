"""The pages of the documentation: their code, links and commands."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

PROJECT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(PROJECT).as_posix()
    for path in [*PROJECT.glob("docs/*.md"), *(PROJECT / name for name in ("README.md", "CONTRIBUTING.md"))]
)


class Command(NamedTuple):
    """A command as a page writes it."""

    page: str
    words: tuple[str, ...]


def tokens(page: str) -> list[Token]:
    found = MarkdownIt("commonmark").enable("table").parse((PROJECT / page).read_text())
    return [*found, *(child for token in found for child in token.children or ())]


def inline_code(page: str) -> list[str]:
    return [token.content for token in tokens(page) if token.type == "code_inline"]


def fences(page: str, language: str) -> list[str]:
    return [token.content for token in tokens(page) if token.type == "fence" and token.info == language]


def commands(page: str) -> Iterator[Command]:
    lines = [line for block in fences(page, "sh") for line in block.replace("\\\n", " ").splitlines()]
    known = re.compile(r"([A-Z_]+=\S+ )*(kedro|make|python|pytest|pip|ruff) ")
    for line in [*lines, *(code for code in inline_code(page) if known.match(code))]:
        words: list[str] = []
        for word in [*shlex.split(line, comments=True), "|"]:
            if word not in ("|", "&&"):
                words += [] if not words and re.fullmatch(r"[A-Z_]+=\S*", word) else [word]
            elif words:
                yield Command(page, tuple(words))
                words = []
