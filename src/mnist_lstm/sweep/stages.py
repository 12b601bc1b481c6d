"""The stages of a sweep: prepare the inputs once, run the trials, test the winner on the test images."""

import hashlib
import json
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, chdir, contextmanager, nullcontext
from dataclasses import replace
from typing import Any, NoReturn

from rich import get_console

from mnist_lstm.datasets.atomic import atomic_write
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import ROLES
from mnist_lstm.provenance import PACKAGE, source_digest
from mnist_lstm.sections import flattened
from mnist_lstm.sweep import grid, preset, report, search
from mnist_lstm.sweep import study as studies
from mnist_lstm.sweep.base_parameters import BaseParameters, base_parameters, from_root
from mnist_lstm.sweep.engine import Engine, Result, Task
from mnist_lstm.sweep.local_pool import LocalPool
from mnist_lstm.sweep.options import TRIALS, SweepOptions
from mnist_lstm.sweep.progress import progress
from mnist_lstm.sweep.ranking import Setting, StudyResult, ranked
from mnist_lstm.sweep.search import TrialSource
from mnist_lstm.sweep.study import Outcome, Study

WINNER = "winner "  # and the trial's name: the run that tests it


def sweep(options: SweepOptions) -> None:
    """Runs a sweep and prints its result.

    Raises:
        UserError: if an option is wrong, before anything starts; if the inputs cannot be prepared, the winner cannot be
            tested, or a trial fails with `fail_fast`; or if the sweep cannot continue.
    """
    options.check()
    options = replace(options, params=from_root(options.params, options.project))
    axes: dict[str, Any] = search.parse_axes(options.search) or grid.parse_axes(options.grid)
    with chdir(options.project):  # as the workers
        example = {key: values[0] for key, values in axes.items()}  # of a range the low end
        base = base_parameters(options.project, options.env, options.params, example)
        if options.search:
            _run(base, search.Search(base, axes, options.trials or TRIALS, options.metric), options)
        else:
            _run(base, grid.Grid(base, axes, options.seeds), options)


def specification(base: BaseParameters, trials: TrialSource, metric: str) -> dict[str, Any]:
    """What identifies a study, flat: trials, parameters, metric and code."""
    values = flattened(base.parameters({}).model_dump())
    fixed = {key: value for key, value in values.items() if key not in trials.axes and not ROLES[key].transient}
    return trials.specification | fixed | {"--metric": metric, "the code": source_digest(PACKAGE)[:16]}


def _run(base: BaseParameters, trials: TrialSource, options: SweepOptions) -> None:
    """Runs the trials that have not finished, then the winner; shows the result before the study ends."""
    about = specification(base, trials, options.metric)
    usual_name = f"sweep-{hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:8]}"
    options = replace(options, name=options.name or usual_name)
    preset.expect_free(options.project, options.name)
    size = options.workers if options.engine == "local" else 1
    with LocalPool(base.project, options.folder, size) as pool, _sigterm_as_ctrl_c():
        prepared = _prepare(pool, base, trials)
        about |= {"the images": sorted({values["images"] for values in prepared})}
        study = studies.opened(base, options.name, about)
        with _ended_with_status(study):
            data = ", ".join(sorted({values["title"] for values in prepared}))
            outcomes: dict[str, Outcome] = {}
            try:
                with _engine(options, study, pool) as engine:
                    _run_trials(engine, base, trials, options, study, outcomes)
            except BaseException:  # what has finished compares, too
                settings = ranked(trials.trials, outcomes, options.metric)
                if settings:
                    report.show(base, trials, options, StudyResult(study, data, settings, outcomes, None))
                raise
            settings = ranked(trials.trials, outcomes, options.metric)
            tested = _test_winner(pool, base, settings[0], outcomes, study) if settings else None
            report.show(base, trials, options, StudyResult(study, data, settings, outcomes, tested))


@contextmanager
def _ended_with_status(study: Study) -> Iterator[None]:
    """Ends the study with its true status in MLflow, also after an error, Ctrl-C or SIGTERM."""
    try:
        yield
    except BaseException as error:
        study.end_running("KILLED", "the sweep was stopped")
        if isinstance(error, Exception):
            study.end("FAILED", str(error))
        else:
            study.end("KILLED", type(error).__name__)
            get_console().print("The sweep was stopped; the same command continues it.", highlight=False)
        raise
    study.end("FINISHED")


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """SIGTERM ends the sweep as Ctrl-C does."""

    def stop(number: int, frame: Any) -> NoReturn:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _engine(options: SweepOptions, study: Study, pool: LocalPool) -> AbstractContextManager[Engine]:
    if options.engine == "local":
        return nullcontext(pool)
    from mnist_lstm.sweep.ray_pool import RayPool

    return RayPool(options.project, options.address, study.uri, options.workers)


def _prepare(pool: LocalPool, base: BaseParameters, trials: TrialSource) -> list[dict[str, str]]:
    """Ingests and reshapes once for all trials that read the same; returns the values of each result."""
    results = pool.run_all(
        Task(folder, "prepare", base.env, base.run_params(changes), folder) for folder, changes in trials.inputs.items()
    )
    return [_expect_done(result).values for result in results]


def _run_trials(
    engine: Engine,
    base: BaseParameters,
    trials: TrialSource,
    options: SweepOptions,
    study: Study,
    outcomes: dict[str, Outcome],
) -> None:
    """Runs what has not finished; puts the outcome of every trial into `outcomes`."""
    before = {name: outcome for name, outcome in study.outcomes().items() if not name.startswith(WINNER)}
    trials.resume(before)
    outcomes.update({name: outcome for name, outcome in before.items() if outcome.complete})

    def next_task() -> Task | None:
        if (trial := trials.next_trial()) is None:
            return None
        params = base.run_params(trial.changes, name=trial.name, parent=study.run_id)
        training = base.parameters(trial.changes).training
        gpus = int(training.device == "cuda")
        folder = base.inputs_folder(trial.changes)
        return Task(trial.name, "train", base.env, params, folder, trials.prunes, training.threads, gpus)

    with progress(trials, options.metric, outcomes) as show:
        for task, result in engine.run(next_task, trials.prune_at):
            outcome = _outcome(study, task.name, result)
            outcomes[task.name] = outcome
            trials.record(task.name, outcome)
            show(task.name, outcome)
            if outcome.status == "failed" and options.fail_fast:
                raise UserError(f"trial {task.name!r} failed: {outcome.reason}")


def _outcome(study: Study, name: str, result: Result) -> Outcome:
    """The outcome of a trial, from its run in MLflow if it has one."""
    study.end_running("FAILED", result.reason or "its process was lost, and another ran the trial", name)
    found = study.outcomes(name).get(name)
    if result.status == "done" and found:
        return found
    return replace(found or Outcome(), status="failed", reason=result.reason)


def _test_winner(
    pool: LocalPool, base: BaseParameters, best: Setting, outcomes: dict[str, Outcome], study: Study
) -> Outcome:
    """Runs the complete pipeline once with the best setting: its trained weights, tested, plotted and registered."""
    trial = best.trials[0]
    name = WINNER + trial.name
    found = study.outcomes(name).get(name)
    if found and found.status == "finished":
        return found
    checkpoint = base.project / "data" / "06_models" / "checkpoints" / f"{outcomes[trial.name].fingerprint}.pt"
    if not checkpoint.is_file():
        atomic_write(checkpoint, study.checkpoint(outcomes[trial.name]))
    params = base.run_params(trial.changes | {"training.resume": True}, name=name, parent=study.run_id)
    (result,) = pool.run_all([Task(name, "run_pipeline", base.env, params)])
    if result.status == "lost":
        study.end_running("FAILED", result.reason, name)
    _expect_done(result)
    return study.outcomes(name)[name]


def _expect_done(result: Result) -> Result:
    if result.status != "done":
        raise UserError(
            f"{result.reason} (see worker-{result.worker}.log in the study's folder, data/08_reporting/NAME)"
        )
    return result
