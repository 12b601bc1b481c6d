"""Optuna's figures of a study: history of the best, parallel coordinates, importance of each parameter."""

import math
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.importance import FanovaImportanceEvaluator
from optuna.trial import FrozenTrial, TrialState

from mnist_lstm.sweep.base_parameters import SEED, Trial
from mnist_lstm.sweep.study import DIRECTIONS, Outcome

FEWEST = 20  # trials for importances
VISIBLE = [[0.0, "rgb(158,202,225)"], [1.0, "rgb(8,48,107)"]]  # from the worst trial to the best
STATES = {"finished": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}

optuna.logging.set_verbosity(optuna.logging.WARNING)


def new_study(metric: str) -> optuna.Study:
    """An empty study in memory."""
    return optuna.create_study(direction=DIRECTIONS[metric], pruner=optuna.pruners.MedianPruner())


def frozen(trial: Trial, outcome: Outcome, axes: dict[str, BaseDistribution], metric: str) -> FrozenTrial:
    """A trial in the form of Optuna."""
    return optuna.trial.create_trial(
        state=STATES[outcome.status],
        params=trial.changes,
        distributions=axes,
        value=outcome.values.get(metric),
        intermediate_values={
            step: value for step, value in outcome.curves.get(metric, {}).items() if math.isfinite(value)
        },
    )


def figures(axes: dict[str, Any], trials: Sequence[Trial], outcomes: dict[str, Outcome], metric: str) -> list[Any]:
    """Plotly figures of the study; none if fewer than two trials finished."""
    known = {
        key: axis if isinstance(axis, BaseDistribution) else CategoricalDistribution(axis) for key, axis in axes.items()
    }
    study = new_study(metric)
    ended = [(trial, outcomes[trial.name]) for trial in trials if trial.name in outcomes]  # not all, where it stopped
    study.add_trials([frozen(trial, outcome, known, metric) for trial, outcome in ended])
    values = [outcome.values[metric] for _, outcome in ended if outcome.values]
    if len(values) < 2:
        return []
    plots = [
        (f"{metric} by trial", _history(study, metric)),
        (f"{metric} by parameters, a line for each trial", _coordinates(study, metric)),
    ]
    varied = [key for key in known if key != SEED]
    if len(values) >= FEWEST and len(set(values)) > 1 and varied:  # else no parameter has an importance
        shares = FanovaImportanceEvaluator(seed=0)  # Optuna's default finds 0.48 for a parameter that never varied
        importances = optuna.visualization.plot_param_importances(
            study, evaluator=shares, params=varied, target_name=metric
        )
        plots.append((f"Share of the variance of {metric} that each parameter explains", importances))
    return [plot.update_layout(title=title, template="plotly_white") for title, plot in plots]


def _history(study: optuna.Study, metric: str) -> Any:
    """The result of each trial, and the best so far as steps: no trial lies between two."""
    plot = optuna.visualization.plot_optimization_history(study, target_name=metric)
    plot.update_traces(line_shape="hv", selector={"mode": "lines"})
    return plot.update_xaxes(tickformat="d", **({"dtick": 1} if len(study.trials) <= FEWEST else {}))


def _coordinates(study: optuna.Study, metric: str) -> Any:
    """A line for each trial, the best the darkest; with Optuna's colours the worst are white on white."""
    from plotly.colors import sample_colorscale

    plot = optuna.visualization.plot_parallel_coordinate(study, target_name=metric)
    for line in plot.select_traces({"mode": "lines"}):  # its first axis is the metric, from 0 to 1
        share = line.y[0] if DIRECTIONS[metric] == "maximize" else 1 - line.y[0]
        line.line.color = sample_colorscale(VISIBLE, share)[0]
    return plot.update_traces(marker_colorscale=VISIBLE, selector={"mode": "markers"})  # the colour bar
