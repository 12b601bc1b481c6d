"""A search: Optuna draws each trial's parameters from the results of earlier trials, and stops the worse ones."""

from collections.abc import Iterator, Sequence
from itertools import count, product
from typing import Any, NamedTuple

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from mnist_lstm.errors import UserError
from mnist_lstm.parameters import INPUT_BLOCKS
from mnist_lstm.sweep.base_parameters import BaseParameters, Trial, label, parse_value, split_option
from mnist_lstm.sweep.engine import Point
from mnist_lstm.sweep.figures import STATES, frozen, new_study
from mnist_lstm.sweep.grid import Grid
from mnist_lstm.sweep.study import Outcome

SEARCH = 3  # separates this random stream from those of the initial weights, dropout and augmentation
LOG = "log:"


class Range(NamedTuple):
    """Numbers from low to high, drawn uniformly or, with `log`, uniformly by their logarithms."""

    low: float
    high: float
    log: bool


class Search:
    """Trials by Optuna's tree-structured Parzen estimator, pruned by its median rule.

    The draw for a trial depends on the seed, the trial's number, and the trials that have ended by then; so with one
    worker, an interrupted search finds the same as an undisturbed one. All trials train with the same seed.

    Raises:
        UserError: if a name or a value is wrong; every corner of the search space is checked.

    Source: Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization"; Golovin et al. 2017,
        doi:10.1145/3097983.3098043, for the median rule.
    """

    prunes = True

    def __init__(self, base: BaseParameters, axes: dict[str, Range | list[Any]], total: int, metric: str):
        self.axes: dict[str, BaseDistribution] = {key: _distribution(base, key, values) for key, values in axes.items()}
        corners = product(*(_ends(values) for values in axes.values()))
        self.inputs = {
            base.inputs_folder(changes): changes for changes in (dict(zip(axes, ends, strict=True)) for ends in corners)
        }
        self.total, self.trials = total, list[Trial]()
        self._metric, self._seed = metric, base.parameters({}).training.seed
        self._study = new_study(metric)
        self._unfinished: list[Trial] = []
        self._numbers: Iterator[int] = count(1)
        self._running: dict[str, optuna.Trial] = {}
        self._reported: dict[str, int] = {}  # the last update of each trial's points

    @property
    def specification(self) -> dict[str, Any]:
        """The distribution of each parameter; not the number of trials, which may grow later."""
        return {f"--search {key}": repr(axis) for key, axis in self.axes.items()}

    def resume(self, outcomes: dict[str, Outcome]) -> None:
        """Gives Optuna the trials that have ended, and queues the unfinished ones."""
        known = {
            int(name.partition(" ")[0][1:]): (name, outcome)
            for name, outcome in outcomes.items()
            if self.axes.keys() <= outcome.parameters.keys()
        }
        for name, outcome in (known[number] for number in sorted(known)):
            trial = Trial(name, {key: _value(axis, outcome.parameters[key]) for key, axis in self.axes.items()})
            self.trials.append(trial)
            if outcome.complete:
                self._study.add_trial(frozen(trial, outcome, self.axes, self._metric))
            else:
                self._unfinished.append(trial)
        self._numbers = (number for number in count(1) if number not in known)

    def next_trial(self) -> Trial | None:
        """The next trial, None when there are no more."""
        if self._unfinished:
            trial = self._unfinished.pop(0)
            self._study.enqueue_trial(trial.changes)
            self._running[trial.name] = self._study.ask(self.axes)
            return trial
        number = next(self._numbers)
        if number > self.total:
            return None
        seed = np.random.SeedSequence([self._seed, SEARCH, number]).generate_state(1)[0]
        self._study.sampler = optuna.samplers.TPESampler(seed=int(seed))
        drawn = self._study.ask(self.axes)
        short = {key: f"{value:.3g}" if isinstance(value, float) else value for key, value in drawn.params.items()}
        trial = Trial(f"#{number} {label(short)}", drawn.params)
        self._running[trial.name] = drawn
        self.trials.append(trial)
        return trial

    def prune_at(self, name: str, points: list[Point]) -> int | None:
        """The first of the updates after which the trial is worse than the median of earlier trials.

        A trial that runs again because its node died reports the same points again.
        """
        for update, metrics in points:
            if update <= self._reported.get(name, 0):
                continue
            self._reported[name] = update
            self._running[name].report(metrics[self._metric], update)
            if self._running[name].should_prune():
                return update
        return None

    def record(self, name: str, outcome: Outcome) -> None:
        """Gives Optuna the result of a trial."""
        self._study.tell(self._running.pop(name), outcome.values.get(self._metric), STATES[outcome.status])


TrialSource = Grid | Search  # what chooses the trials of a sweep


def parse_axes(options: Sequence[str]) -> dict[str, Range | list[Any]]:
    """The range or values of each parameter, from "KEY=LOW:HIGH", "KEY=log:LOW:HIGH" or "KEY=A,B,C".

    Raises:
        UserError: if an option has another form, or a parameter is given twice.
    """
    axes: dict[str, Range | list[Any]] = {}
    for option in options:
        key, text = split_option("--search", option)
        if key in axes:
            raise UserError(f"each parameter of a search must be given once, found {option!r} as well.")
        axes[key] = _range(option, text) if ":" in text else [parse_value(value) for value in text.split(",")]
        if len(set(map(str, _ends(axes[key])))) < 2:
            raise UserError(
                f"--search must have two values or more to choose from, found {option!r}; pass one by --params."
            )
    return axes


def _range(option: str, text: str) -> Range:
    log = text.startswith(LOG)
    ends = [parse_value(end) for end in text.removeprefix(LOG).split(":")]
    numbers = [end for end in ends if isinstance(end, int | float) and not isinstance(end, bool)]
    if not len(ends) == len(numbers) == 2 or numbers[0] >= numbers[1] or (log and numbers[0] <= 0):
        raise UserError(
            "--search must be given as KEY=LOW:HIGH or KEY=log:LOW:HIGH (above 0), LOW less than HIGH, or KEY=A,B,C, "
            f"found {option!r}."
        )
    return Range(numbers[0], numbers[1], log)


def _ends(values: Range | list[Any]) -> list[Any]:
    return [values.low, values.high] if isinstance(values, Range) else values


def _distribution(base: BaseParameters, key: str, values: Range | list[Any]) -> BaseDistribution:
    """What Optuna draws from: integers, if the parameter accepts no fraction."""
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


def _value(axis: BaseDistribution, text: str) -> Any:
    """What a trial had, from the string in MLflow."""
    if isinstance(axis, CategoricalDistribution):
        return next(value for value in axis.choices if str(value) == text)
    return int(text) if isinstance(axis, IntDistribution) else float(text)
