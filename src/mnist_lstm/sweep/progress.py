"""The progress of a sweep: a line for each trial, and on a terminal a bar."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich import get_console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from mnist_lstm.sweep.ranking import ranked, setting_text
from mnist_lstm.sweep.search import TrialSource
from mnist_lstm.sweep.study import Outcome


@contextmanager
def progress(
    trials: TrialSource, metric: str, outcomes: dict[str, Outcome]
) -> Iterator[Callable[[str, Outcome], None]]:
    """A function that prints the outcome of a trial, which counts from then on.

    Args:
        outcomes: of trials that have finished, to which the sweep adds the others.
    """
    console, before, started = get_console(), len(outcomes), time.monotonic()
    columns = "trials", BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False)

    def show(name: str, outcome: Outcome) -> None:
        done = len(outcomes)
        found = f"{metric} {outcome.values[metric]:.4f}" if outcome.values else outcome.status
        found += f" ({outcome.reason})" if outcome.reason else ""
        settings = ranked(trials.trials, outcomes, metric)
        best = f"best {setting_text(settings[0], metric)}" if settings else "none has finished"
        best += f"  {(time.monotonic() - started) / (done - before) * (trials.total - done):.0f} s left"
        bar.update(task, completed=done, description=best)
        line(f"trial {done} of {trials.total}  {name}  {found}  {best}")

    def line(text: str) -> None:
        console.print(f"  {text}", highlight=False, markup=False, soft_wrap=True)

    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=trials.total)
        if before:
            line(f"{before} of {trials.total} trials had finished before")
        yield show
