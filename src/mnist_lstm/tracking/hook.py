"""The hook that records a run in MLflow; `metadata.mlflow` of a catalog entry says how a dataset is recorded."""

import atexit
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from mnist_lstm import provenance
from mnist_lstm.errors import RunStopped, UserError, cause_for_user, listed, nearest
from mnist_lstm.parameters import Parameters
from mnist_lstm.redaction import redacted
from mnist_lstm.tracking import store, tags
from mnist_lstm.tracking.settings import read_settings

if TYPE_CHECKING:  # it imports torch, which not every kedro command needs
    from mnist_lstm.tracking.writer import RunWriter

logger = logging.getLogger(__name__)

# Values of `metadata.mlflow`
KINDS = ("data", "history", "metrics", "model", "checkpoint", "artifact")
PROVENANCE = "provenance"  # the dataset
AT_START = ("command", "git", "environment", "hardware")  # parts of it that are read once, when the run starts
VERSION = ("commit", "source_sha256")  # parts of "git" that may change while a run goes on
PATIENCE = 10.0  # seconds after Ctrl-C in which another one does not break off the record of the first
ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Tracking(threading.local):
    """Starts the MLflow run, gives its writer what the catalog saves, and ends it with its true status.

    Each thread has its own state, as requests to `kedro server` create their contexts at once.
    """

    def __init__(self, parameters: Callable[[], Parameters]) -> None:
        self._parameters = parameters  # returns those of the run, validated, once its context is created
        self._writer: RunWriter | None = None
        self.decision: str | None = None  # whether the model of the last run is the champion, and why
        self._signal: str | None = None  # the name of the one that interrupted the run
        self._signalled = 0.0  # when
        self._handlers: dict[signal.Signals, Any] = {}
        self._last_resort: Callable[[], None] = lambda: None  # ends the run when the process ends before it

    @property
    def place(self) -> str | None:
        """Where people find the last run; None if it was not recorded."""
        return self._writer.spool.place if self._writer else None

    @hook_impl
    def after_context_created(self, context: Any) -> None:
        """Reads the settings, which count for `predict.model`, too."""
        self._project = Path(context.project_path)
        self._conf = str(context.config_loader.conf_source)
        self._settings = read_settings(context.config_loader)
        store.configure(self._project, context.config_loader)

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Any, catalog: Any) -> None:
        """Starts the run: its name, parameters, tags and provenance.

        A pipeline that saves nothing with `metadata.mlflow`, such as `predict`, is not tracked, nor is one that has
        nothing to do.
        """
        self._catalog, self._trained, self._writer, self.decision, self._signal = catalog, False, None, None, None
        self._at_start: dict[str, Any] = {}
        self._usual: dict[str, Any] = {}  # the configuration's values when the run started, and what departs from them
        kinds = [self._kind(name) for name in pipeline.datasets()]
        shown = PROVENANCE in pipeline.inputs()
        if not (shown or any(kinds)):
            return
        from mnist_lstm.core.model.onnx_export import expect_exportable
        from mnist_lstm.tracking.start import started, usual

        self._usual = usual(self._conf, run_params["env"], self._parameters())
        idle = run_params["only_missing_outputs"] and all(catalog.exists(name) for name in pipeline.all_outputs())
        if idle or not (self._settings.tracking.enabled and any(kinds)):
            self._at_start = catalog.load(PROVENANCE) if shown else {}
            return
        if self._settings.tracking.onnx and "checkpoint" in pipeline.all_outputs():
            expect_exportable(self._parameters().model)
        self._writer = started(self._project, self._settings, self._parameters(), self._usual["departures"], run_params)
        self._at_start = {name: self._writer.provenance[name] for name in AT_START}
        self._last_resort = partial(self._at_exit, self._writer)  # at exit, self has the state of the main thread
        atexit.register(self._last_resort)
        self._watch_signals()

    @hook_impl
    def before_node_run(self, inputs: dict[str, Any]) -> dict[str, Any] | None:
        """Gives the node's input `provenance` what was read at the start, the run's id and whether this run trained."""
        if PROVENANCE not in inputs:
            return None
        run_id = self._writer.spool.run_id if self._writer else None
        run = inputs[PROVENANCE]["run"] | {"id": run_id, "trained": self._trained} | self._usual
        return {PROVENANCE: inputs[PROVENANCE] | self._at_start | {"run": run}}

    @hook_impl(tryfirst=True)
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Writes the dataset into the run, as its catalog entry says."""
        kind = self._kind(dataset_name)
        self._trained |= kind == "checkpoint" and data.weights_of is None
        if self._writer and kind == "artifact":
            dataset = self._catalog[dataset_name]  # another run may replace its file at any time
            self._writer.write_file(dataset._filepath.name, dataset.written)
        elif self._writer and kind:
            self._writer.write(kind, data)

    @hook_impl
    def after_dataset_loaded(self, dataset_name: str, data: Any) -> None:
        """Writes which data and which checkpoint the run uses if it does not make them itself."""
        kind = self._kind(dataset_name)
        if self._writer and kind == "data":
            self._writer.write(kind, data)
        if self._writer and kind == "checkpoint":
            self._writer.write_used_checkpoint(data)

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Ends the run as finished, and registers its model."""
        self._report_changed_code()
        self._end("FINISHED")
        if self._writer and self._settings.tracking.register_models:
            self.decision = self._writer.register(self._project, **self._settings.tracking.registry.model_dump())

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        """Ends the run with the reason: as killed if it was stopped on purpose, else as failed."""
        reason = redacted(str(cause_for_user(error) or error)).replace(f"{self._project}{os.sep}", "")
        self._end("KILLED" if isinstance(error, RunStopped) else "FAILED", reason)

    def _kind(self, name: str) -> str | None:
        dataset = self._catalog.get(name)
        kind = (getattr(dataset, "metadata", None) or {}).get("mlflow")
        if kind is not None and kind not in KINDS:
            raise UserError(
                f"metadata.mlflow of {name!r} in conf/base/catalog.yml must be {listed(KINDS)}, not "
                f"{kind!r}{nearest(kind, KINDS)}."
            )
        if kind == "artifact" and not hasattr(dataset, "written"):
            raise UserError(
                f"{name!r} in conf/base/catalog.yml must be a FileDataset to be an MLflow artifact, found "
                f"{type(dataset).__name__}; leave metadata.mlflow out, or choose a type from "
                "mnist_lstm.datasets."
            )
        return kind

    def _report_changed_code(self) -> None:
        """Warns if files of the code were replaced since the start; what is recorded is the code at the start."""
        if not self._writer:
            return
        then, now = self._at_start["git"], provenance.code(self._project)
        if changed := [key for key in VERSION if then[key] != now[key]]:
            found = "; ".join(f"{key} was {str(then[key])[:8]}, is {str(now[key])[:8]}" for key in changed)
            logger.warning("The code changed while the run went on, its record names that of the start: %s.", found)
            self._writer.spool.put("tag", key=tags.CODE_CHANGED, value=found)

    def _watch_signals(self) -> None:
        """Notes the signals that end a run; it ends at exit, as a signal may interrupt a call to MLflow.

        One that is ignored, as SIGHUP is below `nohup`, stays ignored.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        numbers = [number for number in ENDING if signal.getsignal(number) != signal.SIG_IGN]
        self._handlers = {number: signal.signal(number, self._interrupt) for number in numbers}

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._signal and time.monotonic() - self._signalled < PATIENCE:
            return  # the run is being ended
        self._signal, self._signalled = signal.Signals(number).name, time.monotonic()
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)

    def _at_exit(self, writer: "RunWriter") -> None:
        if self._signal:
            writer.end("KILLED", self._signal)
        else:
            writer.end("FAILED", "the process ended before the pipeline did")

    def _end(self, status: str, reason: str = "") -> None:
        atexit.unregister(self._last_resort)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()
        if not self._writer:
            return
        try:
            self._writer.end(status, reason)
        except UserError as error:
            if status == "FINISHED":
                raise
            logger.warning("The run's record lacks its end: %s", error)
