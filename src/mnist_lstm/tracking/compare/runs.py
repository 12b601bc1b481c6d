"""Compares recorded runs: do their test accuracies differ by more than chance?"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mnist_lstm.core.evaluation.metrics import Predictions
from mnist_lstm.core.evaluation.significance import McNemar, holm, mcnemar
from mnist_lstm.core.plots.compared_curves import overlaid_curves
from mnist_lstm.core.report.rendering import render
from mnist_lstm.errors import UserError
from mnist_lstm.tracking import reader, store

CONFIDENCE = 0.95  # of all intervals and verdicts, so that runs with another of their own are comparable
MAX_FOR_ALL_PAIRS = 3  # runs; more than these are compared with the first
LIMITS = "This compares trained networks; to compare settings, train several seeds of each."
HOW = "name two or more (`kedro compare RUN RUN`) or take the newest (`kedro compare --last 2`)"


class Compared(NamedTuple):
    """One of the runs.

    Attributes:
        head: its name, made unique.
        entry: MLflow's run.
        predictions: of the test images, None if it did not evaluate.
        curves: points (update, value) of each curve by name.
    """

    head: str
    entry: Any
    predictions: Predictions | None
    curves: dict[str, list[tuple[int, float]]]

    @property
    def data(self) -> str:
        """The title of its data."""
        return str(self.entry.data.tags.get("data", "unknown data"))

    @property
    def right(self) -> Any:
        """Which test images it has right, bool (N,), if it has predictions."""
        return self.predictions.logits.argmax(axis=1) == self.predictions.labels  # type: ignore[union-attr]

    @property
    def metrics(self) -> dict[str, float]:
        """Its metrics; those on the validation images belong to the weights that classify, not to the last ones."""
        found: dict[str, float] = dict(self.entry.data.metrics)
        accuracies = self.curves["valid/accuracy"]
        if self.entry.data.params.get("training.keep") != "best" or not accuracies:
            return found
        best, _ = max(accuracies, key=lambda point: (point[1], -point[0]))  # of equal ones the first, as in training
        return found | {name: dict(self.curves[name])[best] for name in ("valid/accuracy", "valid/loss")}


def read(project: Path, names: Sequence[str], last: int | None) -> list[Compared]:
    """The runs to compare.

    Args:
        project: the project's root.
        names: an id, a name or "latest" for each run.
        last: take instead this many of the newest runs that finished, were evaluated and do not reproduce another,
            oldest first; so no trials of a sweep, but the run of its winner.

    Raises:
        UserError: if a run is unknown or named twice, or there are fewer than two.
    """
    if bool(names) == bool(last):
        raise UserError(f"the runs must be given once, found {'names and --last' if names else 'none'}: {HOW}.")
    client, _, experiment, _ = store.opened(project)
    if last:
        runs = reader.finished(client, experiment, last, ("evaluated",))[::-1]
    else:
        runs = [reader.find_run(client, experiment, name) for name in names]
    if len(runs) < 2:
        raise UserError(f"at least two runs must be compared, found {len(runs)}: {HOW}.")
    run_id, times = Counter(run.info.run_id for run in runs).most_common(1)[0]
    if times > 1:
        raise UserError(
            f"each run must be named once, found the same run {run_id} {times} times in {', '.join(names)}."
        )
    return [
        Compared(head, run, reader.predictions(client, run.info.run_id), reader.curves(client, run.info.run_id))
        for head, run in zip(heads(runs), runs, strict=True)
    ]


def heads(runs: Sequence[Any]) -> list[str]:
    """A unique label of each run: its name, followed by the start of its id if another run has the same name."""
    count = Counter(run.info.run_name for run in runs)
    return [
        run.info.run_name if count[run.info.run_name] == 1 else f"{run.info.run_name} {run.info.run_id[:8]}"
        for run in runs
    ]


def verdicts(runs: Sequence[Compared]) -> list[str]:
    """A sentence for each pair of runs (of many: each run and the first): is one more often right than by chance?"""
    tested = [run for run in runs if run.predictions]
    pairs = list(combinations(tested, 2))
    if len(tested) > MAX_FOR_ALL_PAIRS:
        pairs = [pair for pair in pairs if pair[0] is tested[0]]
    ranked = [Ranked.of(*pair) for pair in pairs if same_test(*pair)]
    corrected = holm([pair.test.p_value for pair in ranked])
    return [
        *(pair.sentence(p_value, len(ranked)) for pair, p_value in zip(ranked, corrected, strict=True)),
        *(
            f"{one.head!r} and {other.head!r} were tested on other images, {one.data} and {other.data}: not compared."
            for one, other in pairs
            if not same_test(one, other)
        ),
        *(f"{run.head!r} has no predictions of test images: not compared." for run in runs if not run.predictions),
        *([LIMITS] if ranked else []),
    ]


def same_test(one: Compared, other: Compared) -> bool:
    """Whether both runs were tested on the same images with the same labels, in the same order."""
    same_images = reader.digests(one.entry).get("test") == reader.digests(other.entry).get("test")
    return same_images and np.array_equal(one.predictions.labels, other.predictions.labels)  # type: ignore[union-attr]


class Ranked(NamedTuple):
    """Two runs tested on the same images.

    Attributes:
        better, worse: their heads; `better` is right more often.
        better_only, worse_only: number of images that only this run classifies correctly.
    """

    better: str
    worse: str
    better_only: int
    worse_only: int

    @classmethod
    def of(cls, one: Compared, other: Compared) -> "Ranked":
        """Orders two runs by their accuracy."""
        first, second = one.right, other.right
        first_only, second_only = int((first & ~second).sum()), int((second & ~first).sum())
        if first_only < second_only:
            return cls(other.head, one.head, second_only, first_only)
        return cls(one.head, other.head, first_only, second_only)

    @property
    def test(self) -> McNemar:
        """McNemar's test of the difference."""
        return mcnemar(self.better_only, self.worse_only)

    def sentence(self, corrected: float, pairs: int) -> str:
        """The result in words; `corrected` is the p value after Holm's correction for this many pairs."""
        if self.better_only == 0:
            return f"{self.better!r} and {self.worse!r} are right on the same images: no difference in accuracy."
        after = (
            f" ({_number(corrected).removeprefix('= ')} after Holm's correction for {pairs} pairs)" if pairs > 1 else ""
        )
        larger = "" if corrected < 1 - CONFIDENCE else "not "
        return (
            f"{self.better!r} is right on {self.better_only} image{'s' * (self.better_only != 1)} that {self.worse!r} "
            f"has wrong, and wrong on {self.worse_only} that it has right: McNemar's {'exact ' * self.test.exact}p "
            f"{_number(self.test.p_value)}{after}, {larger}larger than chance at {CONFIDENCE:.0%}."
        )


def _number(p_value: float) -> str:
    return f"= {p_value:.3g}" if p_value >= 0.0001 else "< 0.0001"


def title(runs: Sequence[Compared]) -> str:
    """The number of runs, and their data."""
    return f"{len(runs)} runs on {' and '.join(dict.fromkeys(run.data for run in runs))}"


def page(runs: Sequence[Compared], sentences: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    """The verdicts, the table and the curves as a page that works offline (4.6 MB of it is plotly)."""
    return render(
        "compare.html.j2",
        title=title(runs),
        lines=sentences,
        headings=["", *(run.head for run in runs)],
        rows=[(name, *values) for name, values in rows.items()],
        figure=overlaid_curves({run.head: run.curves for run in runs}),
    )
