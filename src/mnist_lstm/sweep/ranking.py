"""Which setting is best: the mean over its seeds of a measure on the validation images."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import NamedTuple

from mnist_lstm.sweep.base_parameters import SEED, Changes, Trial
from mnist_lstm.sweep.study import DIRECTIONS, Outcome


class Setting(NamedTuple):
    """Trials that differ in their seeds alone, all of which finished.

    Attributes:
        changes: what they have in common.
        trials: in the order of their seeds.
        value: the mean of the measure.
        spread: its standard deviation over the seeds; nan for one seed.
    """

    changes: Changes
    trials: list[Trial]
    value: float
    spread: float


def ranked(trials: Sequence[Trial], outcomes: dict[str, Outcome], metric: str) -> list[Setting]:
    """The settings from best to worst, equal ones in the order of their trials.

    One with a trial that failed or was pruned is none of them: its mean would be over other seeds.
    """
    groups: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        groups[repr(_without_seed(trial.changes)) if SEED in trial.changes else trial.name].append(trial)
    settings = [
        _setting(group, [outcomes[trial.name].values[metric] for trial in group])
        for group in groups.values()
        if all(trial.name in outcomes and outcomes[trial.name].values for trial in group)
    ]
    sign = -1 if DIRECTIONS[metric] == "maximize" else 1
    return sorted(settings, key=lambda setting: sign * setting.value)


def _setting(trials: list[Trial], values: list[float]) -> Setting:
    spread = stdev(values) if len(values) > 1 else float("nan")
    return Setting(_without_seed(trials[0].changes), trials, fmean(values), spread)


def _without_seed(changes: Changes) -> Changes:
    return {key: value for key, value in changes.items() if key != SEED}
