"""A search: Optuna draws each trial's parameters from what the trials before it found, and stops the worse ones."""

from collections.abc import Iterator, Sequence
from itertools import count, product
from typing import Any, NamedTuple

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from mnist_lstm.errors import UserError
from mnist_lstm.parameters import INPUT_BLOCKS
from mnist_lstm.sweep.base_parameters import BaseParameters, Changes, Trial, label, split, typed
from mnist_lstm.sweep.figures import STATES, frozen, new_study
from mnist_lstm.sweep.study import Outcome, Point

SEARCH = 3  # tells its random stream from those of the initial weights, dropout and augmentation
LOG = "log:"


class Range(NamedTuple):
    """Numbers between two, drawn evenly or, with `log`, evenly by their logarithms."""

    low: float
    high: float
    log: bool


class Search:
    """Trials by Optuna's tree-structured Parzen estimator, stopped by its median rule.

    What is drawn for a trial follows from the seed, the trial's number, and the trials that have ended by then; so with
    one worker a search that was interrupted finds what an undisturbed one does. All trials train with the same seed.

    Args:
        base: what they have in common.
        asked: of each parameter its range, or the values to choose from.
        total: how many trials there are to be.
        metric: the measure to better.

    Raises:
        UserError: if a name or a value is wrong; every corner of what may be drawn is checked.

    Source: Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization"; Golovin et al. 2017,
        doi:10.1145/3097983.3098043, for the median rule.
    """

    watched = True

    def __init__(self, base: BaseParameters, asked: dict[str, Range | list[Any]], total: int, metric: str):
        self.axes = {key: _distribution(base, key, values) for key, values in asked.items()}
        corners = [
            dict(zip(asked, values, strict=True)) for values in product(*(_ends(values) for values in asked.values()))
        ]
        self.inputs = {base.folder(changes): changes for changes in corners}
        self.total, self.trials = total, list[Trial]()
        self._metric, self._seed = metric, base.parameters({}).training.seed
        self._study = new_study(metric)
        self._again: list[Trial] = []
        self._numbers: Iterator[int] = count(1)
        self._running: dict[str, optuna.Trial] = {}
        self._shown: dict[str, int] = {}  # the last update of each trial's points

    @property
    def about(self) -> dict[str, Any]:
        """What makes it this search; more trials may be asked for later."""
        return {f"--search {key}": repr(axis) for key, axis in self.axes.items()}

    def begin(self, outcomes: dict[str, Outcome]) -> None:
        """Tells Optuna of the trials that have ended, and takes the others up again."""
        known = {
            int(name.partition(" ")[0][1:]): (Trial(name, _changes(self.axes, outcome)), outcome)
            for name, outcome in outcomes.items()
            if self.axes.keys() <= outcome.parameters.keys()
        }
        for trial, outcome in (known[number] for number in sorted(known)):
            self.trials.append(trial)
            if outcome.status in ("finished", "pruned"):
                self._study.add_trial(frozen(trial, outcome, self.axes, self._metric))
            else:
                self._again.append(trial)
        self._numbers = (number for number in count(1) if number not in known)

    def take(self) -> Trial | None:
        """The next trial, None when there are no more."""
        if self._again:
            trial = self._again.pop(0)
            self._study.enqueue_trial(trial.changes)
            self._running[trial.name] = self._study.ask(self.axes)
            return trial
        number = next(self._numbers)
        if number > self.total:
            return None
        seed = np.random.SeedSequence([self._seed, SEARCH, number]).generate_state(1)[0]
        self._study.sampler = optuna.samplers.TPESampler(seed=int(seed))
        drawn = self._study.ask(self.axes)
        trial = Trial(f"#{number} {label(_short(drawn.params))}", drawn.params)
        self._running[trial.name] = drawn
        self.trials.append(trial)
        return trial

    def stops_at(self, name: str, points: list[Point]) -> int | None:
        """The first of the updates after which the trial is worse than the median of those before it.

        A trial that is run again, as its node has died, shows the same points again.
        """
        for update, measures in points:
            if update <= self._shown.get(name, 0):
                continue
            self._shown[name] = update
            self._running[name].report(measures[self._metric], update)
            if self._running[name].should_prune():
                return update
        return None

    def ended(self, name: str, outcome: Outcome) -> None:
        """Tells Optuna what came of a trial."""
        self._study.tell(self._running.pop(name), outcome.values.get(self._metric), STATES[outcome.status])


def parsed(options: Sequence[str]) -> dict[str, Range | list[Any]]:
    """What each parameter may be, from "KEY=LOW:HIGH", "KEY=log:LOW:HIGH" or "KEY=A,B,C".

    Raises:
        UserError: if it is none of these, or a parameter is given twice.
    """
    asked: dict[str, Range | list[Any]] = {}
    for option in options:
        key, text = split("--search", option)
        if key in asked:
            raise UserError(f"each parameter of a search must be given once, found {option!r} beside another.")
        asked[key] = _range(option, text) if ":" in text else [typed(value) for value in text.split(",")]
    return asked


def _range(option: str, text: str) -> Range:
    log = text.startswith(LOG)
    ends = [typed(end) for end in text.removeprefix(LOG).split(":")]
    numbers = [end for end in ends if isinstance(end, int | float) and not isinstance(end, bool)]
    if not len(ends) == len(numbers) == 2 or numbers[0] >= numbers[1] or (log and numbers[0] <= 0):
        raise UserError(
            f"--search must be given as KEY=LOW:HIGH, KEY=log:LOW:HIGH (above 0) or KEY=A,B,C, found {option!r}."
        )
    return Range(numbers[0], numbers[1], log)


def _ends(values: Range | list[Any]) -> list[Any]:
    return [values.low, values.high] if isinstance(values, Range) else values


def _distribution(base: BaseParameters, key: str, values: Range | list[Any]) -> BaseDistribution:
    """What Optuna draws from; integers, where the parameter takes no others."""
    if not isinstance(values, Range):
        return CategoricalDistribution(values)
    if key.startswith(INPUT_BLOCKS):
        raise UserError(f"--search {key} must name its values, as {key}=A,B,C: the images are prepared for each.")
    try:
        base.parameters({key: (values.low + values.high) / 2})
    except UserError:
        for end in _ends(values):
            base.parameters({key: end})
        return IntDistribution(int(values.low), int(values.high), values.log)
    return FloatDistribution(values.low, values.high, values.log)


def _changes(axes: dict[str, BaseDistribution], outcome: Outcome) -> Changes:
    """What a trial changed, from what MLflow wrote of it."""
    return {key: _value(axis, outcome.parameters[key]) for key, axis in axes.items()}


def _value(axis: BaseDistribution, written: str) -> Any:
    if isinstance(axis, CategoricalDistribution):
        return next(value for value in axis.choices if str(value) == written)
    return int(written) if isinstance(axis, IntDistribution) else float(written)


def _short(changes: Changes) -> Changes:
    return {key: f"{value:.3g}" if isinstance(value, float) else value for key, value in changes.items()}
