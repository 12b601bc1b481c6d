"""Whether the test accuracies of groups differ by more than chance, a sentence for each two of them."""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from mnist_lstm.core.evaluation.significance import holm, mcnemar, paired_interval, welch_interval
from mnist_lstm.tracking.compare.groups import CONFIDENCE, Group
from mnist_lstm.tracking.compare.runs import Compared

MAX_FOR_ALL_PAIRS = 3  # groups; more than these are compared with the first
LIMITS = "This compares trained networks; to compare settings, train several seeds of each."
METRICS = ("test/accuracy", "valid/accuracy")  # the first that all runs of two groups have


class Test(NamedTuple):
    """A test of two groups."""

    text: str  # the result in words; if `decides`, without the p value and what follows from it
    p_value: float  # before a correction; nan if nothing can be said
    decides: bool = True
    of_networks: bool = False  # not of settings


def verdicts(groups: Sequence[Group]) -> list[str]:
    """A sentence for each pair of groups (of many: each group and the first), then for each group of seeds."""
    pairs = list(combinations(groups, 2))
    if len(groups) > MAX_FOR_ALL_PAIRS:
        pairs = [pair for pair in pairs if pair[0] is groups[0]]
    found = [_tested(*pair) for pair in pairs]
    if len(groups) == 1 and len(groups[0].runs) == 2:
        found = [_tested(*(Group(run.head, [run]) for run in groups[0].runs))]
    tests = [test for test in found if isinstance(test, Test)]
    known = [test.p_value for test in tests if not math.isnan(test.p_value)]
    corrected = iter(holm(known))
    return [
        *(_sentence(test, math.nan if math.isnan(test.p_value) else next(corrected), len(known)) for test in tests),
        *(_over_seeds(group) for group in groups if len(group.runs) > 1),
        *dict.fromkeys(test for test in found if isinstance(test, str)),
        *([LIMITS] if any(test.of_networks for test in tests) else []),
    ]


def _sentence(test: Test, corrected: float, pairs: int) -> str:
    if not test.decides:
        return test.text
    after = f" ({_number(corrected).removeprefix('= ')} after Holm's correction for {pairs} pairs)" if pairs > 1 else ""
    larger = "larger" if corrected < 1 - CONFIDENCE else "not larger"
    return f"{test.text} {_number(test.p_value)}{after}, {larger} than chance at {CONFIDENCE:.0%}."


def _over_seeds(group: Group) -> str:
    """The mean of a group and its interval."""
    metric = _metric(group)
    opening = f"{group.head!r} are {len(group.runs)} runs that differ in the seed alone"
    if metric is None or (found := group.interval(metric)) is None:
        return f"{opening}, without an accuracy in all of them."
    return f"{opening}: mean {metric} {found.mean:.4f}, {CONFIDENCE:.0%} interval {found.text}."


def _tested(one: Group, other: Group) -> Test | str:
    """The test that fits two groups, or the sentence that says why none does."""
    metric = _metric(one, other)
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
        return _mcnemar(one.runs[0], other.runs[0])
    if any(single):
        lone, many = (one, other) if single[0] else (other, one)
        return f"{lone.head!r} has one seed, so its mean cannot be compared with that of {many.head!r}: train more."
    return _means(one, other, metric)


def _metric(*groups: Group) -> str | None:
    return next((name for name in METRICS if all(len(each.values(name)) == len(each.runs) for each in groups)), None)


def same_images(one: Group, other: Group, split: str) -> bool:
    """Whether all runs used the same images of a split; of the test split also the same labels, in the same order."""
    if len(one.images(split) | other.images(split)) > 1:
        return False
    tested = [run.predictions.labels for run in (*one.runs, *other.runs) if run.predictions]
    return split != "test" or all(np.array_equal(tested[0], labels) for labels in tested)


def _mcnemar(one: Compared, other: Compared) -> Test:
    """Of two runs on the same images; the one that is right more often is named first."""
    first_only, second_only = int((one.right & ~other.right).sum()), int((other.right & ~one.right).sum())
    if first_only < second_only:
        one, other, first_only, second_only = other, one, second_only, first_only
    found = mcnemar(first_only, second_only)
    if first_only == 0:
        text = f"{one.head!r} and {other.head!r} are right on the same images: no difference in accuracy."
        return Test(text, found.p_value, decides=False, of_networks=True)
    text = (
        f"{one.head!r} is right on {first_only} image{'s' * (first_only != 1)} that {other.head!r} has wrong, and "
        f"wrong on {second_only} that it has right: McNemar's {'exact ' * found.exact}p"
    )
    return Test(text, found.p_value, of_networks=True)


def _means(one: Group, other: Group, metric: str) -> Test:
    """Of two groups of several seeds, paired where these are the same; the one with the higher mean is named first."""
    if (one.mean(metric) or 0.0) < (other.mean(metric) or 0.0):
        one, other = other, one
    if one.seeds == other.seeds:
        interval, reason = paired_interval, "paired by seed, as both have the same seeds"
    else:
        interval, reason = welch_interval, "Welch's, as their seeds are not the same"
    found = interval(one.values(metric), other.values(metric), CONFIDENCE, (-1, 1))  # of fractions
    if found.mean == 0:
        return Test(f"{one.head!r} and {other.head!r} have the same mean {metric}.", found.p_value, decides=False)
    opening = f"{one.head!r} has a mean {metric} higher by {found.mean:.4f} than {other.head!r}"
    if math.isnan(found.p_value):
        text = f"{opening}, the same for every seed: without a spread there is no test."
        return Test(text, found.p_value, decides=False)
    return Test(f"{opening}, {CONFIDENCE:.0%} interval {found.text} ({reason}): p", found.p_value)


def _number(p_value: float) -> str:
    return f"= {p_value:.3g}" if p_value >= 0.0001 or math.isnan(p_value) else "< 0.0001"
