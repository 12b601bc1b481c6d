"""Whether the test accuracies of groups differ by more than chance, a sentence for each two of them."""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple, Protocol

import numpy as np

from mnist_lstm.core.evaluation.significance import (
    MeanInterval,
    holm,
    mcnemar,
    paired_interval,
    welch_interval,
)
from mnist_lstm.tracking.compare.groups import CONFIDENCE, Group
from mnist_lstm.tracking.compare.runs import Compared

MAX_FOR_ALL_PAIRS = 3  # groups; more than these are compared with the first
LIMITS = "This compares trained networks; to compare settings, train several seeds of each."
METRICS = ("test/accuracy", "valid/accuracy")  # the first that all runs of two groups have


class Test(Protocol):
    """A test of two groups."""

    @property
    def p_value(self) -> float:
        """Before a correction; nan if nothing can be said."""

    def sentence(self, after: str, larger: bool) -> str:
        """The result in words: `after` is the p value that was corrected, `larger` whether it is small."""


def verdicts(groups: Sequence[Group]) -> list[str]:
    """A sentence for each pair of groups (of many: each group and the first), then for each group of seeds."""
    pairs = list(combinations(groups, 2))
    if len(groups) > MAX_FOR_ALL_PAIRS:
        pairs = [pair for pair in pairs if pair[0] is groups[0]]
    found = [_tested(*pair) for pair in pairs]
    if len(groups) == 1 and len(groups[0].runs) == 2:
        found = [_tested(*(Group(run.head, [run]) for run in groups[0].runs))]
    tests = [test for test in found if not isinstance(test, str)]
    known = [test for test in tests if not math.isnan(test.p_value)]
    corrected = dict(zip(map(id, known), holm([test.p_value for test in known]), strict=True))
    return [
        *(_sentence(test, corrected.get(id(test), math.nan), len(known)) for test in tests),
        *(_over_seeds(group) for group in groups if len(group.runs) > 1),
        *dict.fromkeys(test for test in found if isinstance(test, str)),
        *([LIMITS] if any(isinstance(test, McNemar) for test in tests) else []),
    ]


def _sentence(test: Test, corrected: float, pairs: int) -> str:
    value = _number(corrected).removeprefix("= ")
    after = f" ({value} after Holm's correction for {pairs} pairs)" if pairs > 1 else ""
    return test.sentence(after, corrected < 1 - CONFIDENCE)


def _over_seeds(group: Group) -> str:
    """The mean of a group and its interval."""
    metric = next((name for name in METRICS if len(group.values(name)) == len(group.runs)), None)
    opening = f"{group.head!r} are {len(group.runs)} runs that differ in the seed alone"
    if metric is None or (found := group.interval(metric)) is None:
        return f"{opening}, without an accuracy in all of them."
    return f"{opening}: mean {metric} {found.mean:.4f}, {CONFIDENCE:.0%} interval {found.text}."


def _tested(one: Group, other: Group) -> "McNemar | Means | str":
    """The test that fits two groups, or the sentence that says why none does."""
    metric = next((name for name in METRICS if all(_complete(group, name) for group in (one, other))), None)
    single = [len(group.runs) == 1 for group in (one, other)]
    if metric is None or (all(single) and not (one.tested and other.tested)):
        if not (one.tested or other.tested):
            return "Runs without predictions of test images are compared only where each setting has several seeds."
        without = one if not one.tested else other
        return f"{without.head!r} has no predictions of test images: not compared."
    if not same_images(one, other, metric.partition("/")[0]):
        data = f"{one.runs[0].data} and {other.runs[0].data}"
        return f"{one.head!r} and {other.head!r} were tested on other images, {data}: not compared."
    if all(single):
        return McNemar.of(one.runs[0], other.runs[0])
    if any(single):
        lone, many = (one, other) if single[0] else (other, one)
        return f"{lone.head!r} has one seed, so its mean cannot be compared with that of {many.head!r}: train more."
    return Means.of(one, other, metric)


def _complete(group: Group, metric: str) -> bool:
    return len(group.values(metric)) == len(group.runs)


def same_images(one: Group, other: Group, split: str) -> bool:
    """Whether all runs used the same images of a split; of the test split also the same labels, in the same order."""
    if len(one.images(split) | other.images(split)) > 1:
        return False
    tested = [run.predictions.labels for run in (*one.runs, *other.runs) if run.predictions]
    return split != "test" or all(np.array_equal(tested[0], labels) for labels in tested)


class McNemar(NamedTuple):
    """Two runs tested on the same images."""

    # Their heads; `better` is right more often
    better: str
    worse: str
    # Number of images that only this run classifies correctly
    better_only: int
    worse_only: int

    @classmethod
    def of(cls, one: Compared, other: Compared) -> "McNemar":
        """Orders two runs by their accuracy."""
        first, second = one.right, other.right
        first_only, second_only = int((first & ~second).sum()), int((second & ~first).sum())
        if first_only < second_only:
            return cls(other.head, one.head, second_only, first_only)
        return cls(one.head, other.head, first_only, second_only)

    @property
    def p_value(self) -> float:
        """Of McNemar's test."""
        return mcnemar(self.better_only, self.worse_only).p_value

    def sentence(self, after: str, larger: bool) -> str:
        """The numbers of images, and what follows."""
        if self.better_only == 0:
            return f"{self.better!r} and {self.worse!r} are right on the same images: no difference in accuracy."
        exact = "exact " * mcnemar(self.better_only, self.worse_only).exact
        return (
            f"{self.better!r} is right on {self.better_only} image{'s' * (self.better_only != 1)} that {self.worse!r} "
            f"has wrong, and wrong on {self.worse_only} that it has right: McNemar's {exact}p "
            f"{_number(self.p_value)}{after}, {_larger(larger)}."
        )


class Means(NamedTuple):
    """Two groups of several seeds each."""

    # Their heads; `better` has the higher mean
    better: str
    worse: str
    metric: str  # which mean
    difference: MeanInterval  # of the means
    reason: str  # which interval, and why

    @classmethod
    def of(cls, one: Group, other: Group, metric: str) -> "Means":
        """Orders two groups by their means, and pairs their seeds where they are the same."""
        if (one.mean(metric) or 0.0) < (other.mean(metric) or 0.0):
            one, other = other, one
        if one.seeds == other.seeds:
            interval, reason = paired_interval, "paired by seed, as both have the same seeds"
        else:
            interval, reason = welch_interval, "Welch's, as their seeds are not the same"
        found = interval(one.values(metric), other.values(metric), CONFIDENCE, (-1, 1))  # of fractions
        return cls(one.head, other.head, metric, found, reason)

    @property
    def p_value(self) -> float:
        """Of the t test."""
        return self.difference.p_value

    def sentence(self, after: str, larger: bool) -> str:
        """The difference and its interval, and what follows."""
        mean, p_value = self.difference.mean, self.difference.p_value
        if mean == 0:
            return f"{self.better!r} and {self.worse!r} have the same mean {self.metric}."
        opening = f"{self.better!r} has a mean {self.metric} higher by {mean:.4f} than {self.worse!r}"
        if math.isnan(p_value):
            return f"{opening}, the same for every seed: without a spread there is no test."
        return (
            f"{opening}, {CONFIDENCE:.0%} interval {self.difference.text} ({self.reason}): "
            f"p {_number(p_value)}{after}, {_larger(larger)}."
        )


def _larger(larger: bool) -> str:
    return f"{'' if larger else 'not '}larger than chance at {CONFIDENCE:.0%}"


def _number(p_value: float) -> str:
    return f"= {p_value:.3g}" if p_value >= 0.0001 or math.isnan(p_value) else "< 0.0001"
