"""How far a sweep is: a bar with the best so far and the time left on a terminal, a line for each trial elsewhere."""

import time

from mnist_lstm.sweep.study import DIRECTIONS, Outcome


class Progress:
    """Counts trials.

    Args:
        total: trials in all.
        metric: the measure that chooses the best.
    """

    def __init__(self, total: int, metric: str):
        from rich import get_console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar

        self._console = get_console()
        self._bar = Bar(
            "trials",
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._total, self._metric = total, metric
        self._task = self._bar.add_task("", total=total)
        self._done = self._before = 0
        self._best: tuple[float, str] | None = None
        self._started = time.monotonic()
        self._bar.start()

    def before(self, outcomes: dict[str, Outcome]) -> None:
        """Counts the trials that had finished before this sweep went on."""
        for name, outcome in outcomes.items():
            self._count(name, outcome)
        self._before = self._done
        if self._before:
            self.say(f"{self._before} of {self._total} trials had finished before")

    def ended(self, name: str, outcome: Outcome) -> None:
        """Counts a trial, and tells what came of it."""
        self._count(name, outcome)
        told = f"{self._metric} {outcome.values[self._metric]:.4f}" if outcome.values else outcome.status
        told += f" ({outcome.reason})" if outcome.reason else ""
        best = f"best {self._best[0]:.4f} ({self._best[1]})" if self._best else "none has finished"
        self._bar.update(self._task, completed=self._done, description=f"{best}  {self._left()}")
        self.say(f"trial {self._done} of {self._total}  {name}  {told}  {best}  {self._left()}")

    def say(self, line: str) -> None:
        """Prints a line, above the bar where there is one."""
        self._console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)

    def stop(self) -> None:
        """Leaves the terminal in order."""
        self._bar.stop()

    def _count(self, name: str, outcome: Outcome) -> None:
        self._done += 1
        if outcome.values:
            value = outcome.values[self._metric]
            sign = 1 if DIRECTIONS[self._metric] == "maximize" else -1
            if self._best is None or sign * value > sign * self._best[0]:
                self._best = value, name

    def _left(self) -> str:
        seconds = (time.monotonic() - self._started) / (self._done - self._before) * (self._total - self._done)
        return f"{seconds:.0f} s left"
