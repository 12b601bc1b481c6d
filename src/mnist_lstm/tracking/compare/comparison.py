"""A comparison of runs: what differs, and whether by more than chance; as a table for the terminal."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mnist_lstm.core.data.splits import ImageSplit, digest
from mnist_lstm.tracking import reader
from mnist_lstm.tracking.compare.groups import Group, grouped
from mnist_lstm.tracking.compare.runs import Compared
from mnist_lstm.tracking.compare.table import BEST, Rows, differences, metrics, title
from mnist_lstm.tracking.compare.verdicts import verdicts

WIDTH = 120  # characters, if the output is not a terminal


@dataclass(frozen=True)
class Comparison:
    """What was found."""

    groups: list[Group]  # the runs; those that differ in the seed alone are one
    sentences: list[str]  # the verdicts
    differing: Rows  # rows of the table, a cell for each group
    measured: Rows  # likewise
    images: ImageSplit | None  # the test images of the first group, None if they are not at hand


def of(runs: Sequence[Compared], test_images: Callable[[], ImageSplit] | None = None) -> Comparison:
    """The comparison of these runs; `test_images` loads those of the last run, which may be others."""
    groups = grouped(runs)
    images, used = test_images() if test_images else None, reader.digests(groups[0].runs[0].entry).get("test")
    if images is not None and not (used and digest(images.arrays()).startswith(used)):
        images = None
    return Comparison(groups, verdicts(groups), differences(groups), metrics(groups), images)


def show(found: Comparison) -> None:
    """Prints the table of what differs and of the metrics, and the verdicts below it."""
    sized = Console().is_terminal or "COLUMNS" in os.environ
    console = Console(width=None if sized else WIDTH)
    console.print(_table(found))
    for sentence in found.sentences:
        console.print(f"- {sentence}", markup=False, highlight=False)


def _table(found: Comparison) -> Table:
    """A column for each group."""
    drawn = Table(box=box.SIMPLE_HEAD, title=Text(title(found.groups)), title_justify="left", caption_justify="left")
    drawn.add_column("", no_wrap=True)
    for group in found.groups:
        drawn.add_column(Text(group.head), overflow="fold")
    for label, values in (found.differing or {"parameters": ["the same"] * len(found.groups)}).items():
        drawn.add_row(label, *map(Text, values))
    drawn.add_section()
    for label, values in found.measured.items():
        drawn.add_row(label, *(Text(value, "bold" if value.endswith(BEST) else "") for value in values))
        if any(value.endswith(BEST) for value in values):
            drawn.caption = f"{BEST} best of the same images"
    return drawn
