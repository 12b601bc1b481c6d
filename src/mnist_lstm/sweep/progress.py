"""The progress of a sweep: a line for each trial, and on a terminal a bar."""

import time

from rich import get_console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from mnist_lstm.sweep.ranking import comparable, ranked, setting_text
from mnist_lstm.sweep.study import Outcome
from mnist_lstm.sweep.trial_source import TrialSource


class Progress:
    """Counts trials and prints their outcomes, as a context manager.

    Args:
        outcomes: of trials that have finished, to which the sweep adds the others.
    """

    def __init__(self, trials: TrialSource, metric: str, outcomes: dict[str, Outcome]):
        self._trials, self._metric, self._outcomes, self._console = trials, metric, outcomes, get_console()
        columns = "trials", BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False)
        self._bar = Bar(*columns, console=self._console, disable=not self._console.is_terminal)
        self._task = self._bar.add_task("", total=trials.total)
        self._before = len(outcomes)
        self._started = time.monotonic()

    def __enter__(self) -> "Progress":
        self._bar.start()
        if self._before:
            self._print(f"{self._before} of {self._trials.total} trials had finished before")
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def show(self, name: str, outcome: Outcome) -> None:
        """Prints the outcome of a trial, which counts from now on."""
        done = len(self._outcomes)
        found = f"{self._metric} {outcome.values[self._metric]:.4f}" if outcome.values else outcome.status
        found += f" ({outcome.reason})" if outcome.reason else ""
        best = f"{self._best()}  {self._left(done)}"
        self._bar.update(self._task, completed=done, description=best)
        self._print(f"trial {done} of {self._trials.total}  {name}  {found}  {best}")

    def _print(self, line: str) -> None:
        self._console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)

    def _best(self) -> str:
        settings = ranked(comparable(self._trials.trials, self._outcomes), self._outcomes, self._metric)
        return f"best {setting_text(settings[0], self._metric)}" if settings else "none has finished"

    def _left(self, done: int) -> str:
        seconds = (time.monotonic() - self._started) / (done - self._before) * (self._trials.total - done)
        return f"{seconds:.0f} s left"
