"""Runs that differ in the seed alone are one group, compared as one."""

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from mnist_lstm.core.evaluation.significance import MeanInterval, bounds, mean_interval
from mnist_lstm.tracking import reader
from mnist_lstm.tracking.compare.runs import Compared, unique

CONFIDENCE = 0.95  # of all intervals and verdicts, so that runs with another of their own are comparable
SEED = "training.seed"
MACHINE = ("code", "processor")  # facts that make no other setting: the source decides, and bits differ at most


class Group(NamedTuple):
    """One setting: a run, or several that differ in the seed alone."""

    head: str  # a unique label
    runs: list[Compared]  # by ascending seed, each another

    @property
    def seeds(self) -> list[str]:
        """The seed of each run."""
        return [run.facts.get(SEED, "") for run in self.runs]

    @property
    def tested(self) -> bool:
        """Whether all its runs have predictions of the test images."""
        return all(run.predictions for run in self.runs)

    def values(self, metric: str) -> list[float]:
        """The metric of each run that has it."""
        return [run.metrics[metric] for run in self.runs if metric in run.metrics]

    def mean(self, metric: str) -> float | None:
        """The mean of the metric over the seeds, None without any."""
        values = self.values(metric)
        return fmean(values) if values else None

    def interval(self, metric: str) -> MeanInterval | None:
        """The mean over at least two seeds with its interval."""
        values = self.values(metric)
        return mean_interval(values, CONFIDENCE, bounds(metric)) if len(values) > 1 else None

    def images(self, split: str) -> set[Any]:
        """The digests of the images of a split."""
        return {reader.digests(run.entry).get(split) for run in self.runs}


def grouped(runs: Sequence[Compared]) -> list[Group]:
    """The groups, in the order of their first runs.

    A second run of the same setting and seed is none more: its bits are the same, so it begins a group of its own.
    """
    found: dict[tuple[Any, int], dict[str, Compared]] = {}
    for run in runs:
        setting = repr(sorted((_setting(run) | {"source": run.source}).items()))
        seed = run.facts.get(SEED, run.head)
        again = next(times for times in range(len(runs)) if seed not in found.get((setting, times), {}))
        found.setdefault((setting, again), {})[seed] = run
    groups = [sorted(group.values(), key=_order) for group in found.values()]
    heads = unique([(label(group), group[0].entry.info.run_id) for group in groups])
    return [Group(head, group) for head, group in zip(heads, groups, strict=True)]


def _setting(run: Compared) -> dict[str, str]:
    return {key: value for key, value in run.facts.items() if key not in (SEED, *MACHINE)}


def _order(run: Compared) -> int:
    seed = run.facts.get(SEED, "")
    return int(seed) if seed.isdecimal() else 0


def label(runs: Sequence[Compared]) -> str:
    """What the names share, and the seeds: "lstm128 rows seeds 1 to 3 mnist"."""
    first = runs[0]
    if len(runs) == 1:
        return str(first.entry.info.run_name)
    words = [run.entry.info.run_name.split() for run in runs]
    seeds = f"seeds {spans([_order(run) for run in runs])}"
    columns = [set(column) for column in zip(*words, strict=False)]
    if len({len(name) for name in words}) > 1 or sum(len(column) > 1 for column in columns) != 1:
        return f"{first.entry.info.run_name}, {seeds}"  # names that somebody gave
    return " ".join(seeds if len(column) > 1 else word for column, word in zip(columns, words[0], strict=True))


def spans(numbers: Iterable[int]) -> str:
    """Ascending numbers, those in a row as a span: "1 to 3, 7"."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1].append(number)
        else:
            found.append([number])
    return ", ".join(f"{span[0]} to {span[-1]}" if len(span) > 2 else ", ".join(map(str, span)) for span in found)
