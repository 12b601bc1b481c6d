"""The interface of what chooses a sweep's trials: a grid or a search."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from mnist_lstm.sweep.base_parameters import Changes, Trial
from mnist_lstm.sweep.engine import Point
from mnist_lstm.sweep.study import Outcome


class TrialSource(ABC):
    """Chooses trials."""

    prunes: ClassVar[bool] = False  # whether `prune_at` may stop a trial
    trials: list[Trial]  # those chosen so far, in order
    total: int  # how many there will be
    axes: dict[str, Any]  # by parameter, its values or Optuna's distribution
    inputs: dict[str, Changes]  # by folder of prepared inputs, changes that need them

    @property
    @abstractmethod
    def specification(self) -> dict[str, Any]:
        """What distinguishes these trials from those of another study."""

    @abstractmethod
    def resume(self, outcomes: dict[str, Outcome]) -> None:
        """Takes the outcomes of an interrupted sweep into account; called once, before `next_trial`."""

    @abstractmethod
    def next_trial(self) -> Trial | None:
        """The next trial to run, None when there are no more."""

    def prune_at(self, name: str, points: list[Point]) -> int | None:
        """The update among new points of a trial's curve at which it stops, None if it continues."""
        return None

    def record(self, name: str, outcome: Outcome) -> None:  # noqa: B027
        """Takes note of how a trial ended."""
