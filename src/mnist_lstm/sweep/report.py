"""The files of a study (table of trials, page, the winner's preset) and its lines on the terminal."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from rich import get_console

from mnist_lstm.core.evaluation.metrics import percent, wilson_interval
from mnist_lstm.core.report.rendering import render
from mnist_lstm.datasets.atomic import atomic_write
from mnist_lstm.provenance import hardware
from mnist_lstm.sweep import preset
from mnist_lstm.sweep.base_parameters import BaseParameters, Trial
from mnist_lstm.sweep.figures import figures
from mnist_lstm.sweep.options import SweepOptions
from mnist_lstm.sweep.ranking import Setting, StudyResult, setting_text
from mnist_lstm.sweep.search import TrialSource
from mnist_lstm.sweep.study import DIRECTIONS, Outcome

MOST_LISTED = 10  # values of a parameter
MOST_COMPARED = 10  # settings, the best ones

Row = dict[str, Any]


def show(base: BaseParameters, trials: TrialSource, options: SweepOptions, result: StudyResult) -> None:
    """Writes the study's files and prints its lines."""
    lines = write(base, trials, options, result)
    get_console().print("\n" + "\n".join(lines), highlight=False, markup=False, soft_wrap=True)


def write(base: BaseParameters, trials: TrialSource, options: SweepOptions, result: StudyResult) -> list[str]:
    """Writes the study's files, into the project and the parent run; returns the lines for the terminal."""
    folder = options.folder / "study"
    study = f"Study      {options.name}: {count(result.outcomes)}; {result.study.place}"
    data, best = f"Data       {result.data}", "Best       none: no setting finished all its trials"
    more: list[str] = []
    if result.settings and result.tested:
        best, *more = _write_winner(base, options, result)
    elif result.settings:
        best = f"Best       so far {setting_text(result.settings[0], options.metric)}; not tested"
    best_trials = [trial for setting in result.settings[:MOST_COMPARED] for trial in setting.trials]
    compared = [result.outcomes[trial.name].run_id for trial in best_trials]
    if len(compared) > 1:
        atomic_write(folder / "compare.html", result.study.comparison(compared).encode())
    rows = table(trials.axes, trials.trials, result.outcomes, options.metric)
    shown_rows = shown(rows, options.metric)
    page = render(
        "study.html.j2",
        title=f"Study {options.name}",
        lines=[best, *more, data, study],
        figures=figures(trials.axes, trials.trials, result.outcomes, options.metric),
        headings=list(shown_rows[0]),
        rows=[list(row.values()) for row in shown_rows],
        compares=len(compared) > 1,
    )
    atomic_write(folder / "trials.csv", pd.DataFrame(rows).to_csv(index=False).encode())
    atomic_write(folder / "study.html", page.encode())
    _record(trials, options, result)
    where = f"Report     {folder.relative_to(base.project)}/study.html, and trials.csv next to it"
    return [study, data, best, *more, where]


def _write_winner(base: BaseParameters, options: SweepOptions, result: StudyResult) -> list[str]:
    """Writes the preset; returns the lines about the best setting."""
    best, name = result.settings[0], options.name
    validated, tested = setting_text(best, options.metric), test_text(base, result, best)
    text = preset.preset(base, best.changes, name, f"{validated}; {tested}.\n{cost_text(result.outcomes, best)}")
    preset.expect_free(base.project, name)  # still
    atomic_write(preset.path_of(base.project, name), text.encode())
    atomic_write(options.folder / "study" / "parameters.yml", text.encode())
    return [
        f"Best       {validated}",
        f"Tested     {tested}",
        f"Preset     conf/{name}/parameters.yml (kedro run --env {name})",
    ]


def _record(trials: TrialSource, options: SweepOptions, result: StudyResult) -> None:
    """Writes the study's files and values into MLflow."""
    tags, params, metrics = {"data": result.data}, dict[str, str](), dict[str, float]()
    if result.settings and result.tested:
        best = result.settings[0]
        tags |= {f"best.{key}": value for key, value in best.changes.items()} | {"winner": result.tested.run_id}
        metrics[f"best/{options.metric}"] = best.value
        params = {"metric": options.metric} | _swept(trials)  # cannot change later
    result.study.write(options.folder / "study", params, tags, metrics)


def count(outcomes: dict[str, Outcome]) -> str:
    """The number of trials, by status: "6 trials, 5 finished, 1 failed"."""
    states = [outcome.status for outcome in outcomes.values()]
    by_status = (f"{states.count(state)} {state}" for state in ("finished", "pruned", "failed") if state in states)
    return ", ".join([f"{len(states)} trials", *by_status])


def test_text(base: BaseParameters, result: StudyResult, best: Setting) -> str:
    """The winner's result on the test images."""
    found = result.study.predictions(result.tested.run_id)  # type: ignore[union-attr]
    correct, images = int((found.logits.argmax(axis=1) == found.labels).sum()), len(found.labels)
    confidence = base.values["evaluation"]["confidence"]
    low, high = wilson_interval(correct, images, confidence)
    interval = f"{percent(confidence)} interval {low:.4f} to {high:.4f}"
    return f"test/accuracy {correct / images:.4f} ({interval}), of {best.trials[0].name}"


def cost_text(outcomes: dict[str, Outcome], best: Setting) -> str:
    """Time and machine of the winner's training: "19 s of training and validation on 2 cores (AMD EPYC, no GPU)"."""
    machine, trial = hardware(), best.trials[0]
    where = f"{machine['cores']} cores ({machine['processor']}, {machine['accelerator'] or 'no'} GPU)"
    return f"{outcomes[trial.name].seconds:.0f} s of training and validation on {where}."


def table(axes: dict[str, Any], trials: Sequence[Trial], outcomes: dict[str, Outcome], metric: str) -> list[Row]:
    """A row for each trial that was started, in order."""
    return [
        {"trial": trial.name}
        | {key: trial.changes[key] for key in axes}
        | {"status": outcome.status, metric: outcome.values.get(metric, "")}
        | {"updates": max(outcome.curves.get(metric, {}), default=0), "seconds": round(outcome.seconds, 1)}
        | {"run": outcome.run_id, "reason": outcome.reason}
        for trial in trials
        if (outcome := outcomes.get(trial.name))
    ]


def shown(rows: list[Row], metric: str) -> list[Row]:
    """The rows for people: sorted, those without a result last, with short numbers and ids, without empty columns."""
    sign = -1 if DIRECTIONS[metric] == "maximize" else 1
    rows = sorted(rows, key=lambda row: sign * row[metric] if row[metric] != "" else math.inf)
    cells = [
        {key: _number(cell, key == metric) if isinstance(cell, float) else cell for key, cell in row.items()}
        | {"run": row["run"][:8], "": "the best" if row is rows[0] and row[metric] != "" else ""}
        for row in rows
    ]
    filled = [key for key in cells[0] if any(row[key] != "" for row in cells)]
    return [{key: row[key] for key in filled} for row in cells]


def _number(value: float, is_result: bool) -> str:
    """Results with the same decimals, to be compared; parameters with four digits."""
    return f"{value:.4f}" if is_result else f"{value:.4g}"


def _swept(trials: TrialSource) -> dict[str, str]:
    """The values of each parameter that the study changed, or their range if they are many."""
    values = {key: sorted({trial.changes[key] for trial in trials.trials}, key=str) for key in trials.axes}
    return {
        key: ", ".join(map(str, found)) if len(found) <= MOST_LISTED else f"{min(found)} to {max(found)}"
        for key, found in values.items()
    }
