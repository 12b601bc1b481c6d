"""A grid: a trial for each combination of values, and for each seed."""

import hashlib
from collections.abc import Sequence
from itertools import combinations, product
from typing import Any

from mnist_lstm.errors import UserError
from mnist_lstm.sweep.base_parameters import ARM, SEED, BaseParameters, Trial, label, parse_value, split_option
from mnist_lstm.sweep.engine import Point
from mnist_lstm.sweep.study import Outcome


class Grid:
    """Trials that do not depend on each other.

    They run seed by seed: all combinations with the first seed, then all with the second. Within a seed, the order is
    drawn from the seed of `base`, so a sweep that is stopped has tried all values alike.

    Args:
        seeds: number of seeds for each combination, counted from the seed of `base`.

    Raises:
        UserError: if a name or a value is wrong.
    """

    prunes = False  # whether `prune_at` may stop a trial

    def __init__(self, base: BaseParameters, axes: dict[str, list[Any]], seeds: int):
        if seeds > 1:
            if SEED in axes:
                raise UserError(f"the seeds must be given once, found --seeds and --grid {SEED}; leave one out.")
            first = base.parameters({}).training.seed
            axes = axes | {SEED: list(range(first, first + seeds))}
        self.axes = axes
        every = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
        self.trials = [Trial(label(changes), changes) for changes in every]
        self.inputs = {base.inputs_folder(changes): changes for changes in every}  # also checks all of them
        self.total = len(self.trials)
        self._waiting: list[Trial] = []
        self._seed = base.values["training"]["seed"]
        self._arms = {name: base.arms[name] for name in axes.get(ARM, [])}

    @property
    def specification(self) -> dict[str, Any]:
        """The values of each parameter, and what the arms change."""
        return {f"--grid {key}": values for key, values in self.axes.items()} | {
            f"arm {name}": changes for name, changes in self._arms.items()
        }

    def resume(self, outcomes: dict[str, Outcome]) -> None:
        """Leaves out the trials that have finished."""
        unfinished = [trial for trial in self.trials if trial.name not in outcomes or not outcomes[trial.name].complete]
        self._waiting = shuffled(unfinished, self.axes.get(SEED, [None]), self._seed)

    def next_trial(self) -> Trial | None:
        """The next trial, None when there are no more."""
        return self._waiting.pop(0) if self._waiting else None

    def prune_at(self, name: str, points: list[Point]) -> int | None:
        """No trial stops early."""

    def record(self, name: str, outcome: Outcome) -> None:
        """No trial depends on another."""


def shuffled(trials: Sequence[Trial], seeds: Sequence[Any], seed: int) -> list[Trial]:
    """The trials by their position in `seeds`, and within each by a hash of `seed` and name.

    A hash and no generator: the order does not depend on which trials are left to run.
    """

    def order(trial: Trial) -> tuple[int, str]:
        drawn = hashlib.sha256(f"{seed} {trial.name}".encode()).hexdigest()
        return seeds.index(trial.changes.get(SEED)), drawn

    return sorted(trials, key=order)


def parse_axes(options: Sequence[str]) -> dict[str, list[Any]]:
    """The values of each parameter, from "KEY=V1,V2".

    Raises:
        UserError: if a parameter or a value is given twice.
    """
    axes: dict[str, list[Any]] = {}
    for option in options:
        key, text = split_option("--grid", option)
        values = [parse_value(value) for value in text.split(",")]
        # 0 and 0.0 are one value, false and 0 are not
        twice = any(a == b and isinstance(a, bool) == isinstance(b, bool) for a, b in combinations(values, 2))
        if key in axes or twice:
            raise UserError(f"each parameter and value of a grid must be given once, found {option!r} again.")
        axes[key] = values
    return axes
