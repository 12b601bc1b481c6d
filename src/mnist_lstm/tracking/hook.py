"""The hook that records a run: it watches what the catalog saves, and each dataset says how it is recorded."""

import atexit
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from mnist_lstm.errors import RunStopped, UserError, cause_for_user, listed, nearest
from mnist_lstm.parameters import Parameters
from mnist_lstm.tracking import store

if TYPE_CHECKING:  # it brings torch, and every kedro command imports this module
    from mnist_lstm.tracking.writer import Recorder

# How a dataset can be recorded, as its catalog entry says
KINDS = ("data", "history", "metrics", "model", "checkpoint", "artifact")
PROVENANCE = "provenance"  # the dataset that the report reads


class Tracking:
    """Starts the MLflow run, hands each saved dataset to its recorder, and ends the run with its true status."""

    def __init__(self, parameters: Callable[[], Parameters]) -> None:
        self._parameters = parameters  # the validated ones of the run, known once its context is created
        self._recorder: Recorder | None = None
        self.decision: str | None = None  # on the model of the last run: is it the champion, and why
        self._interrupted: str | None = None
        self._handlers: dict[signal.Signals, Any] = {}

    @property
    def place(self) -> str | None:
        """Where the last run was recorded, for people; None where it was not."""
        return self._recorder.place if self._recorder else None

    @hook_impl
    def after_context_created(self, context: Any) -> None:
        """Keeps what the run's record needs."""
        self._project = Path(context.project_path)
        self._conf = str(context.config_loader.conf_source)
        self._settings = store.settings(context.config_loader)

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Any, catalog: Any) -> None:
        """Starts the run: its name, parameters, tags and provenance.

        A pipeline without a dataset to record, as `predict`, is no run of MLflow's, nor is one with no work to do.
        """
        self._recorder, self._interrupted, self.decision = None, None, None
        self._catalog = catalog
        kinds = [self._kind(name) for name in pipeline.datasets()]
        idle = run_params["only_missing_outputs"] and all(catalog.exists(name) for name in pipeline.all_outputs())
        if idle or not (self._settings.tracking.enabled and any(kinds)):
            return
        from mnist_lstm.tracking.start import started

        self._recorder = started(self._project, self._conf, self._settings, self._parameters(), run_params)
        if PROVENANCE in catalog:
            catalog[PROVENANCE].run_id = self._recorder.run_id
        atexit.register(self._at_exit)
        self._watch_signals()

    @hook_impl
    def before_dataset_saved(self, dataset_name: str) -> None:
        """Asks for a copy of each artifact: another run may write the same file before this one ends."""
        if self._recorder and self._kind(dataset_name) == "artifact":
            self._catalog[dataset_name].copies = self._recorder.artifacts

    @hook_impl(tryfirst=True)
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Records the dataset as its catalog entry says, and tells the report that this run trained."""
        if self._kind(dataset_name) == "checkpoint" and PROVENANCE in self._catalog:
            self._catalog[PROVENANCE].trained = True
        self._observe(dataset_name, data)

    @hook_impl
    def after_dataset_loaded(self, dataset_name: str, data: Any) -> None:
        """Records which data, and how far a training, a run goes on with that does not make them."""
        if self._recorder and self._kind(dataset_name) == "data":
            self._observe(dataset_name, data)
        if self._recorder and self._kind(dataset_name) == "checkpoint":
            self._recorder.goes_on_with(data)

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Ends the run as finished, and registers its model."""
        self._end("FINISHED")
        if self._recorder and self._settings.tracking.register_models:
            self.decision = self._recorder.register(self._project, self._settings.tracking.registry)

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        """Ends the run as failed, with the reason, in which a file is named from the project's root.

        One that was stopped on purpose is killed, and has not failed.
        """
        reason = str(cause_for_user(error) or error).replace(f"{self._project}{os.sep}", "")
        self._end("KILLED" if isinstance(error, RunStopped) else "FAILED", reason)

    def _observe(self, name: str, data: Any) -> None:
        if self._recorder and (kind := self._kind(name)):
            self._recorder.record(kind, data)

    def _kind(self, name: str) -> str | None:
        if name not in self._catalog:
            return None
        kind = (getattr(self._catalog[name], "metadata", None) or {}).get("mlflow")
        if kind is not None and kind not in KINDS:
            raise UserError(
                f"metadata.mlflow of {name!r} in conf/base/catalog.yml must be {listed(KINDS)}, not "
                f"{kind!r}{nearest(kind, KINDS)}."
            )
        return kind

    def _watch_signals(self) -> None:
        """Notes Ctrl-C and SIGTERM; the run is ended at exit, when no call to MLflow is half done."""
        if threading.current_thread() is not threading.main_thread():
            return
        self._handlers = {number: signal.signal(number, self._interrupt) for number in (signal.SIGINT, signal.SIGTERM)}

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._interrupted = signal.Signals(number).name
        if number == signal.SIGTERM:
            raise SystemExit(128 + number)
        raise KeyboardInterrupt

    def _at_exit(self) -> None:
        if self._interrupted:
            self._end("KILLED", self._interrupted)
        else:
            self._end("FAILED", "the process ended before the pipeline did")

    def _end(self, status: str, reason: str = "") -> None:
        atexit.unregister(self._at_exit)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()
        if self._recorder:
            self._recorder.end(status, reason)
