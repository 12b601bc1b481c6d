"""What a study leaves: the table of its trials, the page, the winner as a preset, and lines for the terminal."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from mnist_lstm.datasets.atomic import atomic_write
from mnist_lstm.provenance import hardware
from mnist_lstm.sweep import preset
from mnist_lstm.sweep.base_parameters import BaseParameters, Trial
from mnist_lstm.sweep.figures import figures
from mnist_lstm.sweep.ranking import Setting
from mnist_lstm.sweep.stages import StudyResult, SweepOptions, folder_of
from mnist_lstm.sweep.study import Outcome
from mnist_lstm.sweep.study_page import page
from mnist_lstm.sweep.trial_source import TrialSource

Row = dict[str, Any]


def write(base: BaseParameters, trials: TrialSource, options: SweepOptions, result: StudyResult) -> list[str]:
    """Writes the study's files, into the project and the parent run; returns what to tell the user."""
    folder = folder_of(base.project, options.name) / "study"
    rows = table(trials.axes, trials.trials, result.outcomes, options.metric)
    told = [f"Study      {options.name}: {count(result.outcomes)}; {result.study.place}", f"Data       {result.data}"]
    tags: dict[str, Any] = {"data": result.data}
    metrics: dict[str, float] = {}
    if result.settings and result.tested:
        best = result.settings[0]
        tags |= {f"best.{key}": value for key, value in best.changes.items()} | {"winner": result.tested.run_id}
        metrics = {f"best/{options.metric}": best.value}
        told += [f"Best       {words(best, options.metric)}", f"Tested     {tested(result.tested, best)}"]
        found = f"{words(best, options.metric)}; {tested(result.tested, best)}.\n{cost(result.outcomes, best)}"
        text = preset.preset(base, best.changes, options.name, found)
        preset.write(base.project, options.name, text)
        atomic_write(folder / "parameters.yml", text.encode())
        told.append(f"Preset     conf/{options.name}/parameters.yml (kedro run --env {options.name})")
    else:
        told.append("Best       none: of no setting did all trials finish")
    atomic_write(folder / "trials.csv", as_csv(rows).encode())
    atomic_write(
        folder / "study.html",
        page(told, rows, figures(trials.axes, trials.trials, result.outcomes, options.metric)).encode(),
    )
    result.study.write(folder, tags, metrics)
    return [*told, f"Look       {folder.relative_to(base.project)}/study.html, trials.csv; make ui (MLflow)"]


def count(outcomes: dict[str, Outcome]) -> str:
    """How many trials there are, by what came of them: "6 trials, 5 finished, 1 failed"."""
    states = [outcome.status for outcome in outcomes.values()]
    of_each = (f"{states.count(state)} {state}" for state in ("finished", "pruned", "failed") if state in states)
    return ", ".join([f"{len(states)} trials", *of_each])


def words(best: Setting, metric: str) -> str:
    """How good a setting is: "model.hidden_size=64: valid/accuracy 0.9712 (2 seeds, standard deviation 0.0010)"."""
    what = ", ".join(f"{key}={value}" for key, value in best.changes.items()) or "the parameters as they are"
    seeds = f" ({len(best.trials)} seeds, standard deviation {best.spread:.4f})" if len(best.trials) > 1 else ""
    return f"{what}: {metric} {best.value:.4f}{seeds}"


def tested(outcome: Outcome, best: Setting) -> str:
    """How good the winner is on the test images."""
    found = outcome.metrics
    low, high = found["test/accuracy_low"], found["test/accuracy_high"]
    return f"test/accuracy {found['test/accuracy']:.4f} (interval {low:.4f} to {high:.4f}), of {best.trials[0].name}"


def cost(outcomes: dict[str, Outcome], best: Setting) -> str:
    """What the winner's training took, and on what: "19 s of training and validation on 2 cores (AMD EPYC, no GPU)"."""
    machine, trial = hardware(), best.trials[0]
    where = f"{machine['cores']} cores ({machine['processor']}, {machine['accelerator'] or 'no'} GPU)"
    return f"{outcomes[trial.name].seconds:.0f} s of training and validation on {where}."


def table(axes: dict[str, Any], trials: Sequence[Trial], outcomes: dict[str, Outcome], metric: str) -> list[Row]:
    """A row for each trial, in their order."""
    return [
        {"trial": trial.name}
        | {key: trial.changes[key] for key in axes}
        | {"status": outcome.status, metric: outcome.values.get(metric, "")}
        | {"updates": max(outcome.curves.get(metric, {}), default=0), "seconds": round(outcome.seconds, 1)}
        | {"run": outcome.run_id, "reason": outcome.reason}
        for trial in trials
        if (outcome := outcomes.get(trial.name))
    ]


def as_csv(rows: list[Row]) -> str:
    """The table as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
