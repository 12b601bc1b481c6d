"""The terminal's output of a run: progress of training, and the summary."""

import atexit
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import click
from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline

from mnist_lstm.tracking.hook import Tracking

DOES = {
    "ingest": "reads the images",
    "reshape": "turns images into sequences",
    "train": "trains the network",
    "evaluate": "tests it",
    "report": "draws the figures and writes the pages",
    "predict": "classifies the pictures",
}  # the stages
TUTORIALS = "mnist"  # the data of the tutorial


class Console:
    """Shows the progress of training and, at the end, the results."""

    def __init__(self, tracking: Tracking):
        self._tracking = tracking
        self._training: TrainingDisplay | None = None

    @hook_impl(trylast=True)
    def before_pipeline_run(self, catalog: Any) -> None:
        """Begins anew, as an earlier run may have left results in this process."""
        self._catalog = catalog
        self._results: dict[str, Any] = {}
        self._ended = False  # whether training has ended
        self._report: Path | None = None  # the page that this run wrote
        self._stages: set[str] = set()  # that have begun
        self._tutorials = False  # whether the data are the tutorial's
        self._began = time.monotonic()

    @hook_impl(trylast=True)
    def before_node_run(self, node: Any, inputs: dict[str, Any]) -> None:
        """Prints a line when a stage begins, and starts the display when training does."""
        if node.namespace in DOES and node.namespace not in self._stages:
            self._stages.add(node.namespace)
            _print(f"{node.namespace:<10} {DOES[node.namespace]}")
        if "data_card" in inputs:
            self._tutorials = inputs["data_card"].name == TUTORIALS
        if node.short_name == "train":
            from mnist_lstm.core.training.schedules import total_updates

            self._training = TrainingDisplay(total_updates(inputs["params:training"], len(inputs["train_sequences"])))
            atexit.register(self._show_how_to_resume)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Advances the display, stops it when training ends, and stores the metrics for the summary."""
        if dataset_name == "checkpoint":  # each report saves the checkpoint first, then the history
            self._ended = data.state.ended
        if dataset_name == "history" and self._training:
            self._training.show(data.iloc[-1].to_dict(), data)
            if self._ended:
                self._training.show_early_end()
                self._training.stop()
        if dataset_name == "metrics":
            self._results = data
        if dataset_name == "report":
            self._report = self._catalog[dataset_name]._filepath

    @hook_impl(trylast=True)
    def after_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline) -> None:
        """Prints the summary."""
        self.on_pipeline_error()
        if self._results:
            print_summary(self._results, self._tracking, self._report, time.monotonic() - self._began, self._tutorials)
        if "predicted_digits" in pipeline.all_outputs():
            files = "data/07_model_output/predictions.csv; the first ones: data/08_reporting/predictions.png"
            click.echo(f"\nAnswers    {files}")

    @hook_impl(trylast=True)
    def on_pipeline_error(self) -> None:
        """Ends the display."""
        atexit.unregister(self._show_how_to_resume)
        if self._training:
            self._training.stop()
        self._training = None

    def _show_how_to_resume(self) -> None:
        """After Ctrl-C or SIGTERM, prints the command that continues."""
        if self._training and (self._training.stop() or self._ended):
            what = "The run stopped after training" if self._ended else "Training stopped"
            click.echo(f"{what}; its checkpoint is saved. To continue:\n  {resume_command()}", err=True)


class TrainingDisplay:
    """A progress bar with loss, accuracy and time left on a terminal, or ten plain lines elsewhere."""

    LINES = 10

    def __init__(self, iterations: int):
        from rich import get_console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = get_console()
        columns = ("train", BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, disable=not console.is_terminal)
        self._iterations = iterations
        self._task = self._bar.add_task("", total=iterations)
        self._console = console
        self._lines = 0
        self._started: tuple[float, float] | None = None
        self._bar.start()

    def show(self, row: dict[str, float], history: Any) -> None:
        """Shows the latest point of the curves and the latest validation."""
        validated, iteration = history["valid_accuracy"].dropna(), int(row["iteration"])
        text = f"loss {row['train_loss']:.3f}  accuracy {row['train_accuracy']:.3f}"
        if len(validated):
            text += f"  validation {validated.iloc[-1]:.4f}"
        self._bar.update(self._task, completed=iteration, description=text)
        tenth = iteration * self.LINES // self._iterations
        if not self._console.is_terminal and tenth > self._lines:
            self._lines = tenth
            left = self._left(iteration)
            self._console.print(f"  update {iteration} of {self._iterations}  {text}{left}", soft_wrap=True)
        if self._started is None:
            self._started = (time.monotonic(), iteration)

    def _left(self, iteration: int) -> str:
        if self._started is None or iteration <= self._started[1]:
            return ""
        seconds_per_update = (time.monotonic() - self._started[0]) / (iteration - self._started[1])
        return f"  {seconds_per_update * (self._iterations - iteration):.0f} s left"

    def show_early_end(self) -> None:
        """Shows that training ended before its last update, if it did."""
        done = int(self._bar.tasks[0].completed)
        if done < self._iterations:
            reason = "the validation accuracy had not risen for a while (training.patience)"
            self._console.print(f"  ended at update {done} of {self._iterations}: {reason}", soft_wrap=True)

    def stop(self) -> bool:
        """Ends the display; returns whether training had begun and not ended."""
        self._bar.stop()
        return self._started is not None and not self._bar.finished


def resume_command() -> str:
    """The command that continues this process's training."""
    words = ["kedro", *sys.argv[1:]]
    at = next((at for at, word in enumerate(words) if word.partition("=")[0] == "--params"), None)
    if at is None:
        words += ["--params", _resuming("")]
    elif words[at] == "--params":
        words[at + 1] = _resuming(words[at + 1])
    else:
        words[at] = f"--params={_resuming(words[at].removeprefix('--params='))}"
    return shlex.join(words)


def _resuming(parameters: str) -> str:
    """The value of --params with `training.resume=true` once."""
    others = [each for each in parameters.split(",") if each and not each.strip().startswith("training.resume=")]
    return ",".join([*others, "training.resume=true"])


def print_summary(
    results: dict[str, Any], tracking: Tracking, report: Path | None, seconds: float, tutorials: bool = False
) -> None:
    """Prints data, accuracy, the registered model, and where to look: the report's path and the run's address.

    Args:
        results: content of metrics.json.
        tutorials: whether the data are the tutorial's, whose own metric says nothing about others.
    """
    from mnist_lstm.core.evaluation.metrics import FIRST, percent

    low, high, confidence = (results[key] for key in ("test/accuracy_low", "test/accuracy_high", "confidence"))
    first = f"; {results[f'test/first_{FIRST}_correct']} of the first {FIRST} right" if tutorials else ""
    lines = [
        f"Data       {results['data']}",
        f"Accuracy   {results['test/accuracy']:.4f}  ({percent(confidence)} interval {low:.4f} to {high:.4f}){first}",
        f"Time       {seconds:.0f} s",
        *([f"Registered {tracking.decision}"] if tracking.decision else []),
        f"Recorded   {tracking.place or 'not by MLflow (tracking.enabled is false)'}",
    ]
    if report:  # relative to this folder, so that a terminal opens it at a click
        here = Path.cwd()
        lines.append(f"Report     {report.relative_to(here) if report.is_relative_to(here) else report}")
    _print("\n" + "\n".join(lines))


def _print(text: str) -> None:
    from rich import get_console

    get_console().print(text, highlight=False, markup=False, soft_wrap=True)
