"""A sweep from its beginning to its end: inputs once, trials, and the winner on the test images."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from mnist_lstm.datasets.atomic import atomic_write
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import flattened
from mnist_lstm.provenance import PACKAGE, source_digest
from mnist_lstm.sweep import study as studies
from mnist_lstm.sweep.base_parameters import Common
from mnist_lstm.sweep.ending import sigterm_as_ctrl_c, status_of
from mnist_lstm.sweep.engines import Engine, engine_of
from mnist_lstm.sweep.local_pool import Answer, Job, Pool
from mnist_lstm.sweep.progress import Progress
from mnist_lstm.sweep.ranking import Setting, ranked
from mnist_lstm.sweep.study import Outcome, Study
from mnist_lstm.sweep.trials import Trials

WINNER = "winner "  # and the trial's name: the run that tests it
# Of the machine, not of the study
PASSING = {"data.mirror", "data.timeout", "training.resume", "training.report_seconds", "predict.folder"}


class Asked(NamedTuple):
    """What the command line says besides the trials."""

    name: str
    metric: str
    workers: int
    fail_fast: bool
    engine: str
    address: str | None


class Result(NamedTuple):
    """What a sweep found: the study, its data, the settings from best to worst, and what came of trials and winner."""

    study: Study
    data: str
    settings: list[Setting]
    outcomes: dict[str, Outcome]
    tested: Outcome | None


def specification(common: Common, trials: Trials, metric: str) -> dict[str, Any]:
    """What makes a study this one, flat: trials, parameters, measure and code."""
    values = flattened(common.parameters({}).model_dump())
    fixed = {key: value for key, value in values.items() if key not in PASSING | trials.axes.keys()}
    return trials.about | fixed | {"--metric": metric, "the code": source_digest(PACKAGE)[:16]}


def name_of(about: dict[str, Any]) -> str:
    """The name of a study to which the user gave none."""
    return f"sweep-{hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:8]}"


def conduct(
    common: Common, trials: Trials, asked: Asked, about: dict[str, Any], show: Callable[[Result], None]
) -> None:
    """Runs the trials that have not finished, then the winner; shows the result, and ends the study after that.

    Raises:
        UserError: if the inputs cannot be had, or a trial fails and the sweep is to stop then.
    """
    parameters = common.parameters({})
    here = asked.workers if asked.engine == "local" else 1
    with Pool(common.project, folder_of(common.project, asked.name), here) as pool, sigterm_as_ctrl_c():
        prepared = _prepare(pool, common, trials)
        about = about | {"the images": sorted({images["images"] for images in prepared})}
        study = studies.opened(common.project, common.settings, parameters, common.env, asked.name, about)
        with status_of(study):
            with engine_of(asked.engine, common, asked.address, asked.workers, pool) as engine:
                outcomes = _trials(engine, common, trials, asked, study)
            settings = ranked(trials.trials, outcomes, asked.metric)
            tested = _test(pool, common, settings[0], outcomes, study) if settings else None
            data = ", ".join(sorted({images["title"] for images in prepared}))
            show(Result(study, data, settings, outcomes, tested))


def folder_of(project: Path, name: str) -> Path:
    """Where a study leaves its files."""
    return project / "data" / "08_reporting" / name


def _prepare(pool: Pool, common: Common, trials: Trials) -> list[dict[str, str]]:
    """Ingests and reshapes once for all trials that read the same; returns "title" and digest of the "images"."""
    orders = [
        Job(folder, {"order": "prepare", "env": common.env, "params": common.params(changes), "folder": folder})
        for folder, changes in trials.inputs.items()
    ]
    answers = [answer for _, answer in pool.run(_one_by_one(orders))]
    for answer in answers:
        _expect_done(answer)
    return [answer.about for answer in answers]


def _trials(engine: Engine, common: Common, trials: Trials, asked: Asked, study: Study) -> dict[str, Outcome]:
    """Runs what has not finished; returns what came of every trial."""
    before = {name: outcome for name, outcome in study.outcomes().items() if not name.startswith(WINNER)}
    trials.begin(before)
    outcomes = {name: outcome for name, outcome in before.items() if outcome.status in ("finished", "pruned")}
    progress = Progress(trials.total, asked.metric)
    progress.before(outcomes)

    def take() -> Job | None:
        trial = trials.take()
        if trial is None:
            return None
        params = common.params(trial.changes, name=trial.name, parent=study.run_id)
        where = {"folder": common.folder(trial.changes), "watched": trials.watched}
        training = common.parameters(trial.changes).training
        order = {"order": "train", "env": common.env, "params": params} | where
        return Job(trial.name, order, training.threads, int(training.device == "cuda"))

    try:
        for job, answer in engine.run(take, lambda job, points: trials.stops_at(job.name, points)):
            outcome = _outcome(study, job.name, answer)
            outcomes[job.name] = outcome
            trials.ended(job.name, outcome)
            progress.ended(job.name, outcome)
            if outcome.status == "failed" and asked.fail_fast:
                raise UserError(f"trial {job.name!r} failed: {outcome.reason}")
    finally:
        progress.stop()
    return outcomes


def _outcome(study: Study, name: str, answer: Answer) -> Outcome:
    """What came of a trial, as its run in MLflow says, if it has one."""
    reason = answer.about.get("reason", "")
    study.end_running("FAILED", reason or "its process was lost, and another ran the trial", name)
    found = study.outcomes(name).get(name)
    if answer.event == "done" and found:
        return found
    told = Outcome("", "failed", {}, {}, {}, None, 0.0, reason, {})
    return found._replace(status="failed", reason=reason) if found else told


def _test(pool: Pool, common: Common, best: Setting, outcomes: dict[str, Outcome], study: Study) -> Outcome:
    """Runs the whole pipeline once for the best setting: its trained weights, tested, drawn and registered."""
    trial = best.trials[0]
    name = WINNER + trial.name
    found = study.outcomes(name).get(name)
    if found and found.status == "finished":
        return found
    checkpoint = common.project / "data" / "06_models" / "checkpoints" / f"{outcomes[trial.name].fingerprint}.pt"
    if not checkpoint.is_file():
        atomic_write(checkpoint, study.checkpoint(outcomes[trial.name]))
    changes = trial.changes | {"training.resume": True}
    params = common.params(changes, name=name, parent=study.run_id)
    for job, answer in pool.run(_one_by_one([Job(name, {"order": "whole", "env": common.env, "params": params})])):
        if answer.event == "gone":
            study.end_running("FAILED", answer.about["reason"], job.name)
        _expect_done(answer)
    return study.outcomes(name)[name]


def _one_by_one(jobs: list[Job]) -> Callable[[], Job | None]:
    waiting = iter(jobs)
    return lambda: next(waiting, None)


def _expect_done(answer: Answer) -> None:
    if answer.event != "done":
        raise UserError(f"{answer.about['reason']} (see data/08_reporting/*/worker-{answer.worker}.log)")
