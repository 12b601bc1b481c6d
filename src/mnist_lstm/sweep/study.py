"""A study in MLflow: a parent run, and a child run for each trial. What came of a trial is read from there alone."""

import json
import math
from pathlib import Path
from typing import Any, Literal, NamedTuple

from mnist_lstm.core.training.fingerprint import differences
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import Parameters
from mnist_lstm.provenance import is_dead, process
from mnist_lstm.renamed_parameters import with_current_names
from mnist_lstm.tracking import reader, start, store
from mnist_lstm.tracking.spool.operations import FINGERPRINT
from mnist_lstm.tracking.writer import LONGEST_TAG

STUDY, SPECIFICATION, PROCESS = "sweep", "sweep.specification", "process."  # tags of the parent
PRUNED = "pruned at update"  # how the reason of a trial begins that was stopped for the sake of the others
MOST_RUNS = 50_000  # in one search, MLflow's limit
Point = tuple[int, dict[str, float]]  # of a trial's curve: update, and each of these measures after it
DIRECTIONS: dict[str, Literal["maximize", "minimize"]] = {
    "valid/accuracy": "maximize",
    "valid/loss": "minimize",
}  # of each measure that may choose the winner


class Outcome(NamedTuple):
    """What came of a trial.

    Attributes:
        run_id: of its child run.
        status: "finished", "pruned", "failed" or "interrupted".
        curves: by measure, its value by update.
        values: by measure, that of the weights that classify; empty if it did not finish.
        parameters: all of them, as MLflow writes them.
        fingerprint: of its training, None if that never began.
        seconds: from its start to its end.
        reason: why it did not finish.
        metrics: all of its run's, by name, each the last.
    """

    run_id: str
    status: str
    curves: dict[str, dict[int, float]]
    values: dict[str, float]
    parameters: dict[str, str]
    fingerprint: str | None
    seconds: float
    reason: str
    metrics: dict[str, float]


class Study:
    """The parent run of a study.

    Args:
        client: of MLflow.
        experiment: its id.
        run_id: of the parent.
        place: where it is, for people.
    """

    def __init__(self, client: Any, experiment: str, run_id: str, place: str):
        self.run_id, self.place = run_id, place
        self._client, self._experiment = client, experiment

    def outcomes(self, name: str | None = None) -> dict[str, Outcome]:
        """Of each trial that was started, or of one, by the name of its run; of several of one name the newest."""
        below = f"tags.`{start.PARENT}` = '{self.run_id}'" + (f" AND attributes.run_name = '{name}'" if name else "")
        oldest_first = ["attributes.start_time ASC"]
        runs = self._client.search_runs([self._experiment], below, max_results=MOST_RUNS, order_by=oldest_first)
        return {name: self.outcome(run) for name, run in {run.info.run_name: run for run in runs}.items()}

    def outcome(self, run: Any) -> Outcome:
        """What came of the trial of a child run."""
        run_id, tags, reason = run.info.run_id, run.data.tags, run.data.tags.get("reason", "")
        curves = {
            name: {point.step: point.value for point in self._client.get_metric_history(run_id, name)}
            for name in DIRECTIONS
        }
        status = {"FINISHED": "finished", "FAILED": "failed"}.get(run.info.status, "interrupted")
        if reason.startswith(PRUNED):  # it may have gone on a little before it was told
            status, last = "pruned", int(reason.removeprefix(PRUNED).partition(":")[0])
            curves = {name: {step: curve[step] for step in curve if step <= last} for name, curve in curves.items()}
        values = classifying(curves, run.data.params["training.keep"]) if status == "finished" else {}
        milliseconds = (run.info.end_time or run.info.start_time) - run.info.start_time
        return Outcome(
            run_id,
            status,
            curves,
            values,
            with_current_names(dict(run.data.params)),
            tags.get(FINGERPRINT),
            milliseconds / 1000,
            reason,
            dict(run.data.metrics),
        )

    def checkpoint(self, outcome: Outcome) -> bytes:
        """The content of the file that a trial's training ended with.

        Raises:
            UserError: if MLflow has it no more.
        """
        content = reader.fetched(self._client, outcome.run_id, "checkpoint.pt")
        if content is None:
            raise UserError(f"run {outcome.run_id} must hold checkpoint.pt, found none; choose another --name.")
        return content

    def end_running(self, status: str, reason: str, name: str | None = None) -> None:
        """Ends the trials, or the one of that name, whose processes are gone and could not do so themselves."""
        found = f"tags.`{start.PARENT}` = '{self.run_id}' AND attributes.status = 'RUNNING'"
        for run in self._client.search_runs([self._experiment], found, max_results=MOST_RUNS):
            if name in (None, run.info.run_name):
                self._client.set_tag(run.info.run_id, "reason", reason)
                self._client.set_terminated(run.info.run_id, status)

    def write(self, folder: Path, tags: dict[str, Any], metrics: dict[str, float]) -> None:
        """Writes the files of a folder, and what was found, into the parent."""
        self._client.log_artifacts(self.run_id, str(folder))
        for key, value in tags.items():
            self._client.set_tag(self.run_id, key, str(value)[:LONGEST_TAG])
        for key, number in metrics.items():
            self._client.log_metric(self.run_id, key, number)

    def end(self, status: str, reason: str = "") -> None:
        """Ends the parent with a status of MLflow's."""
        self._client.set_tag(self.run_id, "reason", reason)
        self._client.set_terminated(self.run_id, status)


def classifying(curves: dict[str, dict[int, float]], keep: str) -> dict[str, float]:
    """The last point of each curve, or with `keep` "best" those of the first best validation accuracy."""
    accuracy = {step: value for step, value in curves["valid/accuracy"].items() if not math.isnan(value)}
    at = max(sorted(accuracy), key=lambda step: accuracy[step]) if keep == "best" else max(accuracy)
    return {name: curve[at] for name, curve in curves.items()}


def opened(
    project: Path, settings: store.Settings, parameters: Parameters, env: str | None, name: str, about: dict[str, Any]
) -> Study:
    """The study of that name, made now or continued.

    Args:
        project: the project's root.
        settings: of mlflow.yml.
        parameters: what all trials have in common.
        env: the preset.
        name: of the study.
        about: what makes it this study, flat; a study of that name which differs is refused.

    Raises:
        UserError: if there is another study of that name, or it is running.
    """
    uri = store.tracking_uri(project, settings.server.mlflow_tracking_uri)
    client = store.client(project, uri)
    experiment = store.experiment_id(client, settings.tracking.experiment.name, project, uri)
    start.end_dead_runs(client, experiment)
    found = client.search_runs([experiment], f"tags.`{STUDY}` = '{name}'", max_results=1)
    if found:
        run_id = found[0].info.run_id
        _expect_same(found[0], name, about)
        client.update_run(run_id, status="RUNNING")
        for key, value in process().items():
            client.set_tag(run_id, PROCESS + key, value)
    else:
        known = start.provenance_of(project, parameters, {"env": env, "pipeline_names": None} | _NO_SELECTION)
        tags = start.tags(known) | {STUDY: name, SPECIFICATION: json.dumps(about)}
        run_id = client.create_run(experiment, run_name=name, tags=tags).info.run_id
    study = Study(client, experiment, run_id, f"MLflow run {run_id} ({settings.tracking.experiment.name})")
    study.end_running("KILLED", "the sweep was gone when it was continued")
    return study


_NO_SELECTION = dict.fromkeys(start.SELECTION)


def _expect_same(run: Any, name: str, about: dict[str, Any]) -> None:
    """Refuses to continue a study that runs, or that is another."""
    then = json.loads(run.data.tags[SPECIFICATION])
    if told := differences(json.loads(json.dumps(about)), then):
        raise UserError(f"the study {name!r} is another one: {told}; choose another --name.")
    known = {key.removeprefix(PROCESS): tag for key, tag in run.data.tags.items() if key.startswith(PROCESS)}
    if run.info.status == "RUNNING" and not is_dead(known):
        raise UserError(f"the study {name!r} is running, in process {known['pid']} on {known['host']}; wait for it.")
