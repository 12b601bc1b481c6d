"""The ranking of settings by the mean over their seeds of a metric on the validation images."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import NamedTuple

from mnist_lstm.sweep.base_parameters import SEED, Changes, Trial
from mnist_lstm.sweep.study import DIRECTIONS, Outcome


class Setting(NamedTuple):
    """Finished trials that differ only in their seeds.

    Attributes:
        changes: that they share.
        trials: in the order of their seeds.
        value: mean of the metric.
        spread: standard deviation over the seeds; nan for one seed.
    """

    changes: Changes
    trials: list[Trial]
    value: float
    spread: float


def ranked(trials: Sequence[Trial], outcomes: dict[str, Outcome], metric: str) -> list[Setting]:
    """The settings from best to worst; ties in the order of their trials.

    A setting with a failed or pruned trial is left out: its mean would be over other seeds.
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
