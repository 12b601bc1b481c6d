"""The table of compared groups: what differs between them, and the metrics with the best value marked."""

from collections.abc import Sequence
from typing import Any

from mnist_lstm.core.evaluation.metrics import wilson_interval
from mnist_lstm.tracking.compare.groups import CONFIDENCE, Group
from mnist_lstm.tracking.compare.runs import ABSENT
from mnist_lstm.tracking.payloads import is_charted

BEST = "*"
LOWER_IS_BETTER = ("loss", "error", "brier", "ece")

Rows = dict[str, list[str]]


def title(groups: Sequence[Group]) -> str:
    """The number of runs, and their data."""
    runs = [run for group in groups for run in group.runs]
    settings = f" of {len(groups)} settings" if 1 < len(groups) < len(runs) else ""
    return f"{len(runs)} runs{settings} on {' and '.join(dict.fromkeys(run.data for run in runs))}"


def differences(groups: Sequence[Group]) -> Rows:
    """Data, status, code, parameters, packages and processor, as far as they differ between the runs."""
    facts = [[run.facts for run in group.runs] for group in groups]
    keys = dict.fromkeys(key for group in facts for values in group for key in values)
    found = {key: [list(dict.fromkeys(values.get(key, ABSENT) for values in group)) for group in facts] for key in keys}
    differing = {key: cells for key, cells in found.items() if len({value for cell in cells for value in cell}) > 1}
    return {key: [", ".join(cell) for cell in cells] for key, cells in differing.items()}


def metrics(groups: Sequence[Group]) -> Rows:
    """Accuracy on the test images with its intervals and counts, then the other metrics; of seeds, the means."""
    runs = [run for group in groups for run in group.runs]
    found = {name for run in runs for name in run.metrics if is_charted(name) or name.startswith("valid/")}
    accuracy = "test/accuracy" if "test/accuracy" in found else "valid/accuracy"
    seeds = [group.interval(accuracy) for group in groups]
    right = [group.runs[0].right if len(group.runs) == 1 and group.tested else None for group in groups]
    details = {
        f"  {CONFIDENCE:.0%} over seeds": [found.text if found else ABSENT for found in seeds],
        f"  {CONFIDENCE:.0%} interval": [ABSENT if each is None else _interval(each) for each in right],
        "  correct": [ABSENT if each is None else f"{each.sum()} of {len(each)}" for each in right],
    }
    return (
        {accuracy: _values(groups, accuracy)}
        | {label: cells for label, cells in details.items() if set(cells) != {ABSENT}}
        | {name: _values(groups, name) for name in sorted(found - {accuracy})}
    )


def _values(groups: Sequence[Group], name: str) -> list[str]:
    values = [group.mean(name) for group in groups]
    best = _best(groups, name, values)
    return [ABSENT if value is None else f"{value:.4f}" + BEST * (value == best) for value in values]


def _best(groups: Sequence[Group], name: str, values: list[float | None]) -> float | None:
    """The best value; None if all are equal, or computed on different images."""
    having = [group for group, value in zip(groups, values, strict=True) if value is not None]
    images = set().union(*(group.images(name.partition("/")[0]) for group in having))
    known = {value for value in values if value is not None}
    if len(images) > 1 or len(known) < 2:
        return None
    return min(known) if any(word in name for word in LOWER_IS_BETTER) else max(known)


def _interval(right: Any) -> str:
    """How far chance in the choice of the test images may reach, by which of them a run has right, bool (N,)."""
    low, high = wilson_interval(int(right.sum()), len(right), CONFIDENCE)
    return f"{low:.4f} to {high:.4f}"
