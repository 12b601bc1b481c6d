"""The table of compared runs: the parameters that differ, and the metrics with the best value marked."""

import math
import os
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mnist_lstm.core.evaluation.metrics import wilson_interval
from mnist_lstm.renamed_parameters import with_current_names
from mnist_lstm.tracking import reader, tags
from mnist_lstm.tracking.compare.runs import CONFIDENCE, Compared, title
from mnist_lstm.tracking.payloads import is_charted, with_effect

WIDTH = 120  # characters, if the output is not a terminal
ABSENT, BEST = "–", "*"
LOWER_IS_BETTER = ("loss", "error", "brier", "ece")

Rows = dict[str, list[str]]


def show(runs: Sequence[Compared], differing: Rows, measured: Rows, sentences: Sequence[str]) -> None:
    """Prints the table of what differs and of the metrics, and the sentences below it."""
    sized = Console().is_terminal or "COLUMNS" in os.environ
    console = Console(width=None if sized else WIDTH)
    console.print(table(runs, differing, measured))
    for sentence in sentences:
        console.print(f"- {sentence}", markup=False, highlight=False)


def table(runs: Sequence[Compared], differing: Rows, measured: Rows) -> Table:
    """The table, a column for each run, of what `differences` and `metrics` give."""
    drawn = Table(box=box.SIMPLE_HEAD, title=Text(title(runs)), title_justify="left", caption_justify="left")
    drawn.add_column("", no_wrap=True)
    for run in runs:
        drawn.add_column(Text(run.head), overflow="fold")
    for label, values in (differing or {"parameters": ["the same"] * len(runs)}).items():
        drawn.add_row(label, *map(Text, values))
    drawn.add_section()
    for label, values in measured.items():
        drawn.add_row(label, *(Text(value, "bold" if value.endswith(BEST) else "") for value in values))
        if any(value.endswith(BEST) for value in values):
            drawn.caption = f"{BEST} best of the same images"
    return drawn


def differences(runs: Sequence[Compared]) -> Rows:
    """Data, status, code and parameters, as far as they differ between the runs."""
    facts = [{"data": run.data, "status": run.entry.info.status.lower(), "code": _code(run)} for run in runs]
    every = [fact | _parameters(run) | _precision(run) for fact, run in zip(facts, runs, strict=True)]
    keys = dict.fromkeys(key for values in every for key in values)
    rows = {key: [values.get(key, ABSENT) for values in every] for key in keys}
    return {key: values for key, values in rows.items() if len(set(values)) > 1}


def _parameters(run: Compared) -> dict[str, str]:
    """Those that may change a result: version 0.1 recorded all."""
    return with_effect(with_current_names(run.entry.data.params))


def _precision(run: Compared) -> dict[str, str]:
    """The precision that was used, also where the parameter is "auto"."""
    found = run.entry.data.tags
    return {tags.PRECISION: found[tags.PRECISION]} if tags.PRECISION in found else {}


def _code(run: Compared) -> str:
    found = run.entry.data.tags
    commit = str(found.get(tags.COMMIT, ABSENT))[:8]
    return f"{commit}-dirty" if "True" in (found.get(tags.DIRTY), found.get("git.dirty")) else commit  # or 0.1's tag


def metrics(runs: Sequence[Compared]) -> Rows:
    """Accuracy on the test images with its interval and counts, then the other metrics."""
    found = {name for run in runs for name in run.metrics if is_charted(name) or name.startswith("valid/")}
    return {
        "test/accuracy": _values(runs, "test/accuracy"),
        f"  {CONFIDENCE:.0%} interval": [_interval(run) for run in runs],
        "  correct": [f"{run.right.sum()} of {len(run.right)}" if run.predictions else ABSENT for run in runs],
        **{name: _values(runs, name) for name in sorted(found - {"test/accuracy"})},
    }


def _values(runs: Sequence[Compared], name: str) -> list[str]:
    values = [run.metrics.get(name, math.nan) for run in runs]
    best = _best(runs, name, values)
    return [ABSENT if math.isnan(value) else f"{value:.4f}" + BEST * (value == best) for value in values]


def _best(runs: Sequence[Compared], name: str, values: list[float]) -> float | None:
    """The best value; None if all are equal, or computed on different images."""
    split = name.partition("/")[0]
    images = {
        reader.digests(run.entry).get(split) for run, value in zip(runs, values, strict=True) if not math.isnan(value)
    }
    known = {value for value in values if not math.isnan(value)}
    if len(images) > 1 or len(known) < 2:
        return None
    return min(known) if any(word in name for word in LOWER_IS_BETTER) else max(known)


def _interval(run: Compared) -> str:
    if not run.predictions:
        return ABSENT
    low, high = wilson_interval(int(run.right.sum()), len(run.right), CONFIDENCE)
    return f"{low:.4f} to {high:.4f}"
