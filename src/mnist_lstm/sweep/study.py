"""A study in MLflow: a parent run, and a child run for each trial; the only source of the trials' outcomes."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from mnist_lstm.core.evaluation.metrics import Predictions
from mnist_lstm.core.training.fingerprint import differences
from mnist_lstm.errors import UserError
from mnist_lstm.processes import is_dead, process
from mnist_lstm.renamed_parameters import with_current_names
from mnist_lstm.sweep.base_parameters import BaseParameters
from mnist_lstm.tracking import reader, start, store
from mnist_lstm.tracking import tags as tag_names
from mnist_lstm.tracking.compare import comparison, page
from mnist_lstm.tracking.compare.runs import compared
from mnist_lstm.tracking.pages import run_page
from mnist_lstm.tracking.spool.earlier_runs import end_dead_runs

T = TypeVar("T")
STUDY, SPECIFICATION = "sweep", "sweep.specification"  # tags of the parent
PRUNED = "pruned at update"  # the reason of a pruned trial begins so
MOST_RUNS = 50_000  # in one search, MLflow's limit
DIRECTIONS: dict[str, Literal["maximize", "minimize"]] = {
    "valid/accuracy": "maximize",
    "valid/loss": "minimize",
}  # of each metric that can choose the winner


@dataclass(frozen=True)
class Outcome:
    """The outcome of a trial."""

    status: str = "failed"  # "finished", "pruned", "failed" or "interrupted"
    reason: str = ""  # why it did not finish
    run_id: str = ""  # of its child run, empty if there is none
    curves: dict[str, dict[int, float]] = field(default_factory=dict)  # by metric, its values by update
    # By metric, the value of the weights that classify; empty if the trial did not finish
    values: dict[str, float] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)  # all parameters, as strings in MLflow
    fingerprint: str | None = None  # of the training, None if it never began
    seconds: float = 0.0  # from start to end

    @property
    def complete(self) -> bool:
        """Whether the trial need not run again."""
        return self.status in ("finished", "pruned")


class Study:
    """The parent run of a study."""

    def __init__(self, client: Any, uri: str, experiment: str, run_id: str):
        self.uri, self.run_id, self.place = uri, run_id, run_page(uri, experiment, run_id)
        self._client, self._experiment = client, experiment

    def outcomes(self, name: str | None = None) -> dict[str, Outcome]:
        """Outcomes by the name of the run, of all trials that were started or of one; the newest of each name."""
        named = f" AND attributes.run_name = '{name}'" if name else ""
        below = f"tags.`{tag_names.PARENT}` = '{self.run_id}'{named}"
        oldest_first = ["attributes.start_time ASC"]
        runs = self._client.search_runs([self._experiment], below, max_results=MOST_RUNS, order_by=oldest_first)
        return {name: self.outcome(run) for name, run in {run.info.run_name: run for run in runs}.items()}

    def outcome(self, run: Any) -> Outcome:
        """The outcome of the trial of a child run."""
        run_id, tags, reason = run.info.run_id, run.data.tags, run.data.tags.get(tag_names.REASON, "")
        curves = {
            name: {point.step: point.value for point in self._client.get_metric_history(run_id, name)}
            for name in DIRECTIONS
        }
        status = {"FINISHED": "finished", "FAILED": "failed"}.get(run.info.status, "interrupted")
        if reason.startswith(PRUNED):  # the trial may have run a little further
            status, last = "pruned", int(reason.removeprefix(PRUNED).partition(":")[0])
            curves = {name: {step: curve[step] for step in curve if step <= last} for name, curve in curves.items()}
        points = {name: sorted(curve.items()) for name, curve in curves.items()}
        values = reader.of_kept_weights(points, run.data.params["training.keep"]) if status == "finished" else {}
        parameters, fingerprint = with_current_names(dict(run.data.params)), tags.get(tag_names.FINGERPRINT)
        seconds = ((run.info.end_time or run.info.start_time) - run.info.start_time) / 1000
        return Outcome(status, reason, run_id, curves, values, parameters, fingerprint, seconds)

    def checkpoint(self, outcome: Outcome) -> bytes:
        """The content of the last checkpoint file of a trial.

        Raises:
            UserError: if MLflow does not have it any more.
        """
        return _present(reader.fetched(self._client, outcome.run_id, "checkpoint.pt"), outcome.run_id, "checkpoint.pt")

    def comparison(self, run_ids: list[str]) -> str:
        """The page that compares trials."""
        runs = [self._client.get_run(run_id) for run_id in run_ids]
        return page.page(comparison.of(compared(self._client, runs)))

    def predictions(self, run_id: str) -> Predictions:
        """The predictions of the test images by the winner.

        Raises:
            UserError: if MLflow does not have them any more.
        """
        return _present(reader.predictions(self._client, run_id), run_id, "predictions.npz")

    def end_running(self, status: str, reason: str, name: str | None = None) -> None:
        """Ends the trials, or the one of that name, whose processes are gone."""
        found = f"tags.`{tag_names.PARENT}` = '{self.run_id}' AND attributes.status = 'RUNNING'"
        for run in self._client.search_runs([self._experiment], found, max_results=MOST_RUNS):
            if name in (None, run.info.run_name):
                self._client.set_tag(run.info.run_id, tag_names.REASON, reason)
                self._client.set_terminated(run.info.run_id, status)

    def write(self, folder: Path, params: dict[str, str], tags: dict[str, Any], metrics: dict[str, float]) -> None:
        """Writes the files of a folder, parameters, tags and metrics into the parent."""
        self._client.log_artifacts(self.run_id, str(folder))
        known = self._client.get_run(self.run_id).data.params  # of a study that is continued
        for key, text in params.items():
            if key not in known:
                self._client.log_param(self.run_id, key, text[: tag_names.MAX_LENGTH])
        for key, value in tags.items():
            self._client.set_tag(self.run_id, key, str(value)[: tag_names.MAX_LENGTH])
        for key, number in metrics.items():
            self._client.log_metric(self.run_id, key, number)

    def end(self, status: str, reason: str = "") -> None:
        """Ends the parent with a status of MLflow."""
        self._client.set_tag(self.run_id, tag_names.REASON, reason)
        self._client.set_terminated(self.run_id, status)


def _present(content: T | None, run_id: str, name: str) -> T:
    if content is None:
        raise UserError(f"run {run_id} must hold {name}, found none; choose another --name.")
    return content


def opened(base: BaseParameters, name: str, specification: dict[str, Any]) -> Study:
    """The study of that name, new or continued.

    Raises:
        UserError: if the study of that name has another specification, or is running.
    """
    client, uri, experiment_name, _ = store.opened(base.project)
    experiment = store.experiment_id(client, experiment_name, base.project, uri)
    end_dead_runs(client, experiment)
    found = client.search_runs([experiment], f"tags.`{STUDY}` = '{name}'", max_results=1)
    if found:
        run_id = found[0].info.run_id
        _expect_same(found[0], name, specification)
        client.update_run(run_id, status="RUNNING")
        client.set_tag(run_id, tag_names.PROCESS, json.dumps(process()))
    else:
        known = start.run_provenance(base.project, base.parameters({}), {"env": base.env})
        tags = start.run_tags(known) | {STUDY: name, SPECIFICATION: json.dumps(specification)}
        run_id = client.create_run(experiment, run_name=name, tags=tags).info.run_id
    study = Study(client, uri, experiment, run_id)
    study.end_running("KILLED", "the sweep was gone when it was continued")
    return study


def _expect_same(run: Any, name: str, specification: dict[str, Any]) -> None:
    recorded = json.loads(run.data.tags[SPECIFICATION])
    if found := differences(json.loads(json.dumps(specification)), recorded):
        raise UserError(f"the study {name!r} is another one: {found}; choose another --name.")
    known = tag_names.process(run.data.tags)
    if run.info.status == "RUNNING" and not is_dead(known):
        raise UserError(f"the study {name!r} is running, in process {known['pid']} on {known['host']}; wait for it.")
