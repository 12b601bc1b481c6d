"""What a sweep asks of that which chooses its trials: a grid, or a search."""

from typing import Any, Protocol

from mnist_lstm.sweep.base_parameters import Changes, Trial
from mnist_lstm.sweep.study import Outcome, Point


class TrialSource(Protocol):
    """Where trials come from.

    Attributes:
        trials: those that are known so far, in order.
        total: how many there are to be.
        axes: by parameter, what it may be.
        inputs: where what training reads is prepared, and changes that lead to it.
        watched: whether each point of their curves is shown to `stops_at`.
    """

    trials: list[Trial]
    total: int
    axes: Any
    inputs: dict[str, Changes]
    watched: bool

    @property
    def about(self) -> dict[str, Any]:
        """What makes these trials different from others."""
        ...

    def begin(self, outcomes: dict[str, Outcome]) -> None:
        """Is told, before any is taken, what came of those that were started before."""
        ...

    def take(self) -> Trial | None:
        """The next trial, None when there are no more."""
        ...

    def stops_at(self, name: str, points: list[Point]) -> int | None:
        """The update among new points of a trial's curve at which it is to stop, None if it goes on."""
        ...

    def ended(self, name: str, outcome: Outcome) -> None:
        """Is told what came of a trial that was taken."""
        ...
