"""A comparison of runs: what differs, and whether by more than chance, for the terminal and as a page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mnist_lstm.core.data.splits import ImageSplit, digest
from mnist_lstm.tracking import reader
from mnist_lstm.tracking.compare import page, table
from mnist_lstm.tracking.compare.groups import Group, grouped
from mnist_lstm.tracking.compare.runs import Compared
from mnist_lstm.tracking.compare.verdicts import verdicts


@dataclass(frozen=True)
class Comparison:
    """What was found."""

    groups: list[Group]  # the runs; those that differ in the seed alone are one
    sentences: list[str]  # the verdicts
    differing: table.Rows  # rows of the table, a cell for each group
    measured: table.Rows  # likewise
    images: ImageSplit | None  # the test images of the first group, None if they are not at hand

    def show(self) -> None:
        """Prints it."""
        table.show(self.groups, self.differing, self.measured, self.sentences)

    def page(self) -> str:
        """The page."""
        return page.page(self.groups, self.sentences, self.differing, self.measured, self.images)


def of(runs: Sequence[Compared], test_images: Callable[[], ImageSplit] | None = None) -> Comparison:
    """The comparison of these runs; `test_images` loads those of the last run, which may be others."""
    groups = grouped(runs)
    images = _of_first(groups[0], test_images()) if test_images else None
    return Comparison(groups, verdicts(groups), table.differences(groups), table.metrics(groups), images)


def _of_first(first: Group, images: ImageSplit) -> ImageSplit | None:
    used = reader.digests(first.runs[0].entry).get("test")
    return images if used and digest(images.arrays()).startswith(used) else None
