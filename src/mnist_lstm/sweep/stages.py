"""A sweep from its beginning to its end: inputs once, trials, and the winner on the test images."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from mnist_lstm.datasets.atomic import atomic_write
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import ROLES
from mnist_lstm.provenance import PACKAGE, source_digest
from mnist_lstm.sections import flattened
from mnist_lstm.sweep import study as studies
from mnist_lstm.sweep.base_parameters import BaseParameters
from mnist_lstm.sweep.engine import Engine, engine_of
from mnist_lstm.sweep.local_pool import Pool, Result, Task
from mnist_lstm.sweep.progress import Progress
from mnist_lstm.sweep.ranking import Setting, ranked
from mnist_lstm.sweep.shutdown import sigterm_as_ctrl_c, status_of
from mnist_lstm.sweep.study import Outcome, Study
from mnist_lstm.sweep.trial_source import TrialSource

WINNER = "winner "  # and the trial's name: the run that tests it


class SweepOptions(NamedTuple):
    """What the command line says besides the trials."""

    name: str
    metric: str
    workers: int
    fail_fast: bool
    engine: str
    address: str | None


class StudyResult(NamedTuple):
    """What a sweep found: the study, its data, the settings from best to worst, and what came of trials and winner."""

    study: Study
    data: str
    settings: list[Setting]
    outcomes: dict[str, Outcome]
    tested: Outcome | None


def specification(base: BaseParameters, trials: TrialSource, metric: str) -> dict[str, Any]:
    """What makes a study this one, flat: trials, parameters, measure and code."""
    values = flattened(base.parameters({}).model_dump())
    fixed = {key: value for key, value in values.items() if key not in trials.axes and not ROLES[key].transient}
    return trials.about | fixed | {"--metric": metric, "the code": source_digest(PACKAGE)[:16]}


def name_of(about: dict[str, Any]) -> str:
    """The name of a study to which the user gave none."""
    return f"sweep-{hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:8]}"


def conduct(
    base: BaseParameters,
    trials: TrialSource,
    options: SweepOptions,
    about: dict[str, Any],
    show: Callable[[StudyResult], None],
) -> None:
    """Runs the trials that have not finished, then the winner; shows the result, and ends the study after that.

    Raises:
        UserError: if the inputs cannot be had, or a trial fails and the sweep is to stop then.
    """
    parameters = base.parameters({})
    here = options.workers if options.engine == "local" else 1
    with Pool(base.project, folder_of(base.project, options.name), here) as pool, sigterm_as_ctrl_c():
        prepared = _prepare(pool, base, trials)
        about = about | {"the images": sorted({images["images"] for images in prepared})}
        study = studies.opened(base.project, base.settings, parameters, base.env, options.name, about)
        with status_of(study):
            with engine_of(options.engine, base, options.address, options.workers, pool) as engine:
                outcomes = _trials(engine, base, trials, options, study)
            settings = ranked(trials.trials, outcomes, options.metric)
            tested = _test(pool, base, settings[0], outcomes, study) if settings else None
            data = ", ".join(sorted({images["title"] for images in prepared}))
            show(StudyResult(study, data, settings, outcomes, tested))


def folder_of(project: Path, name: str) -> Path:
    """Where a study leaves its files."""
    return project / "data" / "08_reporting" / name


def _prepare(pool: Pool, base: BaseParameters, trials: TrialSource) -> list[dict[str, str]]:
    """Ingests and reshapes once for all trials that read the same; returns "title" and digest of the "images"."""
    orders = [
        Task(folder, {"order": "prepare", "env": base.env, "params": base.params(changes), "folder": folder})
        for folder, changes in trials.inputs.items()
    ]
    results = [result for _, result in pool.run(_one_by_one(orders))]
    for result in results:
        _expect_done(result)
    return [result.about for result in results]


def _trials(
    engine: Engine, base: BaseParameters, trials: TrialSource, options: SweepOptions, study: Study
) -> dict[str, Outcome]:
    """Runs what has not finished; returns what came of every trial."""
    before = {name: outcome for name, outcome in study.outcomes().items() if not name.startswith(WINNER)}
    trials.begin(before)
    outcomes = {name: outcome for name, outcome in before.items() if outcome.status in ("finished", "pruned")}
    progress = Progress(trials.total, options.metric)
    progress.before(outcomes)

    def take() -> Task | None:
        trial = trials.take()
        if trial is None:
            return None
        params = base.params(trial.changes, name=trial.name, parent=study.run_id)
        where = {"folder": base.folder(trial.changes), "watched": trials.watched}
        training = base.parameters(trial.changes).training
        order = {"order": "train", "env": base.env, "params": params} | where
        return Task(trial.name, order, training.threads, int(training.device == "cuda"))

    try:
        for task, result in engine.run(take, lambda task, points: trials.stops_at(task.name, points)):
            outcome = _outcome(study, task.name, result)
            outcomes[task.name] = outcome
            trials.ended(task.name, outcome)
            progress.ended(task.name, outcome)
            if outcome.status == "failed" and options.fail_fast:
                raise UserError(f"trial {task.name!r} failed: {outcome.reason}")
    finally:
        progress.stop()
    return outcomes


def _outcome(study: Study, name: str, result: Result) -> Outcome:
    """What came of a trial, as its run in MLflow says, if it has one."""
    reason = result.about.get("reason", "")
    study.end_running("FAILED", reason or "its process was lost, and another ran the trial", name)
    found = study.outcomes(name).get(name)
    if result.event == "done" and found:
        return found
    told = Outcome("", "failed", {}, {}, {}, None, 0.0, reason, {})
    return found._replace(status="failed", reason=reason) if found else told


def _test(pool: Pool, base: BaseParameters, best: Setting, outcomes: dict[str, Outcome], study: Study) -> Outcome:
    """Runs the whole pipeline once for the best setting: its trained weights, tested, drawn and registered."""
    trial = best.trials[0]
    name = WINNER + trial.name
    found = study.outcomes(name).get(name)
    if found and found.status == "finished":
        return found
    checkpoint = base.project / "data" / "06_models" / "checkpoints" / f"{outcomes[trial.name].fingerprint}.pt"
    if not checkpoint.is_file():
        atomic_write(checkpoint, study.checkpoint(outcomes[trial.name]))
    changes = trial.changes | {"training.resume": True}
    params = base.params(changes, name=name, parent=study.run_id)
    for task, result in pool.run(_one_by_one([Task(name, {"order": "whole", "env": base.env, "params": params})])):
        if result.event == "gone":
            study.end_running("FAILED", result.about["reason"], task.name)
        _expect_done(result)
    return study.outcomes(name)[name]


def _one_by_one(tasks: list[Task]) -> Callable[[], Task | None]:
    waiting = iter(tasks)
    return lambda: next(waiting, None)


def _expect_done(result: Result) -> None:
    if result.event != "done":
        raise UserError(f"{result.about['reason']} (see data/08_reporting/*/worker-{result.worker}.log)")
