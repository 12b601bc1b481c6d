"""The ranking of settings by the mean over their seeds of a metric on the validation images."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from mnist_lstm.core.evaluation.significance import MeanInterval, bounds, mean_interval
from mnist_lstm.sweep.base_parameters import SEED, Changes, Trial
from mnist_lstm.sweep.study import DIRECTIONS, Outcome, Study
from mnist_lstm.tracking.compare.groups import CONFIDENCE


class Setting(NamedTuple):
    """Finished trials that differ only in their seeds."""

    changes: Changes  # that they share
    trials: list[Trial]  # in the order of their seeds
    value: float  # mean of the metric
    interval: MeanInterval | None  # of the mean over the seeds; None for one seed


class StudyResult(NamedTuple):
    """What a sweep found."""

    study: Study  # in MLflow
    data: str  # titles of the data
    settings: list[Setting]  # from best to worst
    outcomes: dict[str, Outcome]  # of the trials, by name
    tested: Outcome | None  # outcome of the winner on the test images, None without a winner


def ranked(trials: Sequence[Trial], outcomes: dict[str, Outcome], metric: str) -> list[Setting]:
    """The settings from best to worst, compared by the same seeds; ties in the order of their trials.

    These are the seeds that every setting has finished, at the end of a sweep all; before there is one, the seed that
    most have finished. A setting with a trial that failed or was pruned is left out.
    """
    groups = [
        group for group in _groups(trials) if all(t.name not in outcomes or outcomes[t.name].values for t in group)
    ]
    finished = Counter(t.changes.get(SEED) for group in groups for t in group if t.name in outcomes)
    seeds = {seed for seed, times in finished.items() if times == len(groups)} or {
        seed for seed, _ in finished.most_common(1)
    }
    chosen = [[t for t in group if t.changes.get(SEED) in seeds and t.name in outcomes] for group in groups]
    settings = [_setting(each, [outcomes[t.name].values[metric] for t in each], metric) for each in chosen if each]
    sign = -1 if DIRECTIONS[metric] == "maximize" else 1
    return sorted(settings, key=lambda setting: sign * setting.value)


def _groups(trials: Sequence[Trial]) -> list[list[Trial]]:
    """The trials of each setting."""
    groups: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        groups[repr(_without_seed(trial.changes)) if SEED in trial.changes else trial.name].append(trial)
    return list(groups.values())


def _setting(trials: list[Trial], values: list[float], metric: str) -> Setting:
    interval = mean_interval(values, CONFIDENCE, bounds(metric)) if len(values) > 1 else None
    return Setting(_without_seed(trials[0].changes), trials, fmean(values), interval)


def setting_text(setting: Setting, metric: str) -> str:
    """A setting and its result: "model.hidden_size=64: valid/accuracy 0.9712 (2 seeds, 95% interval 0.96 to 0.98)"."""
    changes = ", ".join(f"{key}={value}" for key, value in setting.changes.items()) or "the parameters as they are"
    found = f"{changes}: {metric} {setting.value:.4f}"
    if setting.interval is None:
        return found
    return f"{found} ({len(setting.trials)} seeds, {CONFIDENCE:.0%} interval {setting.interval.text})"


def _without_seed(changes: Changes) -> Changes:
    return {key: value for key, value in changes.items() if key != SEED}
