"""A sweep from its beginning to its end: inputs once, trials, and the winner on the test images."""

import hashlib
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, Protocol

from mnist_lstm.errors import UserError
from mnist_lstm.parameters import flattened
from mnist_lstm.provenance import source_digest
from mnist_lstm.sweep.common import Changes, Common, Trial
from mnist_lstm.sweep.pool import Answer, Job, Pool
from mnist_lstm.sweep.progress import Progress
from mnist_lstm.sweep.ranking import Setting, ranked
from mnist_lstm.tracking import studies
from mnist_lstm.tracking.studies import Outcome, Study

WINNER = "winner "  # and the trial's name: the run that tests it
# Of the machine, not of the study
PASSING = {"data.mirror", "data.timeout", "training.resume", "training.report_seconds", "predict.folder"}


class Trials(Protocol):
    """Where trials come from.

    Attributes:
        trials: those that are known so far, in order.
        total: how many there are to be.
        axes: by parameter, what it may be.
        inputs: where what training reads is prepared, and changes that lead to it.
        about: what makes these trials different from others.
        watched: whether each point of their curves is shown to `goes_on`.
    """

    trials: list[Trial]
    total: int
    axes: dict[str, Any]
    inputs: dict[str, Changes]
    watched: bool

    @property
    def about(self) -> dict[str, Any]: ...  # noqa: D102

    def begin(self, outcomes: dict[str, Outcome]) -> None: ...  # noqa: D102

    def take(self) -> Trial | None: ...  # noqa: D102

    def goes_on(self, name: str, points: list[Any]) -> bool: ...  # noqa: D102

    def ended(self, name: str, outcome: Outcome) -> None: ...  # noqa: D102


class Result(NamedTuple):
    """What a sweep found: its study, the settings from best to worst, and what came of each trial and the winner."""

    study: Study
    settings: list[Setting]
    outcomes: dict[str, Outcome]
    tested: Outcome | None


class Asked(NamedTuple):
    """What the command line says besides the trials."""

    name: str
    metric: str
    workers: int
    fail_fast: bool


def specification(common: Common, trials: Trials, metric: str) -> dict[str, Any]:
    """What makes a study this one, flat: trials, parameters, measure and code."""
    values = flattened(common.parameters({}).model_dump())
    fixed = {key: value for key, value in values.items() if key not in PASSING | trials.axes.keys()}
    return trials.about | fixed | {"--metric": metric, "the code": source_digest()[:16]}


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
    with Pool(common.project, folder_of(common.project, asked.name), asked.workers) as pool, _sigterm():
        _prepare(pool, common, trials)
        study = studies.opened(common.project, common.settings, parameters, common.env, asked.name, about)
        with _status_of(study):
            outcomes = _trials(pool, common, trials, asked, study)
            settings = ranked(trials.trials, outcomes, asked.metric)
            tested = _test(pool, common, settings[0], outcomes, study) if settings else None
            show(Result(study, settings, outcomes, tested))


def folder_of(project: Path, name: str) -> Path:
    """Where a study leaves its files."""
    return project / "data" / "08_reporting" / name


def _prepare(pool: Pool, common: Common, trials: Trials) -> None:
    """Ingests and reshapes once for all trials that read the same."""
    orders = [
        Job(folder, {"order": "prepare", "env": common.env, "params": common.params(changes), "folder": folder})
        for folder, changes in trials.inputs.items()
    ]
    for _, answer in pool.run(_one_by_one(orders)):
        if answer.event != "done":
            _refuse(answer)


def _trials(pool: Pool, common: Common, trials: Trials, asked: Asked, study: Study) -> dict[str, Outcome]:
    """Runs what has not finished; returns what came of every trial."""
    before = study.outcomes()
    trials.begin(before)
    known = {name: before[name] for name in before if before[name].status in ("finished", "pruned")}
    outcomes = {name: outcome for name, outcome in known.items() if not name.startswith(WINNER)}
    progress = Progress(trials.total, asked.metric)
    progress.before(outcomes)

    def take() -> Job | None:
        trial = trials.take()
        if trial is None:
            return None
        params = common.params(trial.changes, name=trial.name, parent=study.run_id)
        where = {"folder": common.folder(trial.changes), "watched": trials.watched}
        return Job(trial.name, {"order": "train", "env": common.env, "params": params} | where)

    try:
        for job, answer in pool.run(take, lambda job, points: trials.goes_on(job.name, points)):
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
    if answer.event == "gone":
        study.fail(name, reason)
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
    checkpoints = common.project / "data" / "06_models" / "checkpoints"
    trained = (checkpoints / f"{outcomes[trial.name].fingerprint}.pt").is_file()
    params = common.params(trial.changes | {"training.resume": trained}, name=name, parent=study.run_id)
    params["tracking"].pop("register")
    for job, answer in pool.run(_one_by_one([Job(name, {"order": "whole", "env": common.env, "params": params})])):
        if answer.event != "done":
            study.fail(job.name, answer.about["reason"])
            _refuse(answer)
    return study.outcomes(name)[name]


def _one_by_one(jobs: list[Job]) -> Callable[[], Job | None]:
    waiting = iter(jobs)
    return lambda: next(waiting, None)


def _refuse(answer: Answer) -> NoReturn:
    raise UserError(f"{answer.about['reason']} (see data/08_reporting/*/worker-{answer.worker}.log)")


@contextmanager
def _status_of(study: Study) -> Iterator[None]:
    """Ends the study with its true status."""
    try:
        yield
    except Exception as error:
        study.end("FAILED", str(error))
        raise
    except BaseException as error:
        study.end("KILLED", type(error).__name__)
        raise
    study.end("FINISHED")


@contextmanager
def _sigterm() -> Iterator[None]:
    """SIGTERM ends the sweep as Ctrl-C does."""

    def stop(number: int, frame: Any) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
