"""The progress of a sweep: a line for each trial, and on a terminal a bar."""

import time

from rich import get_console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from mnist_lstm.sweep.study import DIRECTIONS, Outcome


class Progress:
    """Counts trials and prints their outcomes, as a context manager.

    Args:
        total: number of trials.
        metric: chooses the best trial.
        outcomes: of trials that have finished before.
    """

    def __init__(self, total: int, metric: str, outcomes: dict[str, Outcome]):
        self._total, self._metric, self._console = total, metric, get_console()
        columns = "trials", BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False)
        self._bar = Bar(*columns, console=self._console, disable=not self._console.is_terminal)
        self._task = self._bar.add_task("", total=total)
        self._values: dict[str, float] = {}
        self._done = self._before = 0
        for name, outcome in outcomes.items():
            self._count(name, outcome)
        self._before = self._done
        self._started = time.monotonic()

    def __enter__(self) -> "Progress":
        self._bar.start()
        if self._before:
            self._print(f"{self._before} of {self._total} trials had finished before")
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def show(self, name: str, outcome: Outcome) -> None:
        """Counts a trial and prints its outcome."""
        self._count(name, outcome)
        found = f"{self._metric} {outcome.values[self._metric]:.4f}" if outcome.values else outcome.status
        found += f" ({outcome.reason})" if outcome.reason else ""
        best = f"{self._best()}  {self._left()}"
        self._bar.update(self._task, completed=self._done, description=best)
        self._print(f"trial {self._done} of {self._total}  {name}  {found}  {best}")

    def _count(self, name: str, outcome: Outcome) -> None:
        self._done += 1
        if outcome.values:
            self._values[name] = outcome.values[self._metric]

    def _print(self, line: str) -> None:
        self._console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)

    def _best(self) -> str:
        if not self._values:
            return "none has finished"
        choose = max if DIRECTIONS[self._metric] == "maximize" else min
        name = choose(self._values, key=lambda name: self._values[name])
        return f"best {self._values[name]:.4f} ({name})"

    def _left(self) -> str:
        seconds = (time.monotonic() - self._started) / (self._done - self._before) * (self._total - self._done)
        return f"{seconds:.0f} s left"
