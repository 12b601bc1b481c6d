"""The commands of the project."""

from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import _split_params

from mnist_lstm.command import Command, Run, configured, one_line_errors, tune_process
from mnist_lstm.model_commands import COMMANDS as OF_A_MODEL
from mnist_lstm.seal_commands import COMMANDS as OF_SEALED_RUNS


@click.group(name="mnist_lstm")
def cli() -> None:
    """Commands of this project."""


# What Kedro's options mean here; None hides one whose other values are refused
RUN_HELP = {
    "params": "Values for keys of conf/base/parameters.yml: training.seed=2,model.cell=gru.",
    "env": "A preset, which is a folder of conf/: fast, accurate, ...",
    "pipelines": "Stages, as `train` or `evaluate,report`; `without_figures`; `predict`. By default all but predict.",
    "pipeline": "As --pipelines, for one.",
    "from_nodes": "Start at a node, as `train`, with the files that earlier nodes left.",
    "to_nodes": "Stop after a node, as `export`.",
    "node_names": "Run these nodes alone.",
    "conf_source": "Folder or archive of the configuration, in place of conf/. The installed package needs it.",
    "runner": None,
    "is_async": None,
    "runner_params": None,
}


def _explained_options() -> Iterator[click.Parameter]:
    """The options of Kedro's `run`, which keeps its own."""
    for option in map(copy, kedro_run.params):
        if isinstance(option, click.Option) and option.name in RUN_HELP:
            option.help, option.hidden = RUN_HELP[option.name], RUN_HELP[option.name] is None
        yield option


run = Run(
    "run",
    callback=kedro_run.callback,
    params=[*_explained_options()],
    help="Ingest, reshape, train, evaluate and report; MLflow records the run.",
)
for command in (run, *OF_A_MODEL, *OF_SEALED_RUNS):
    cli.add_command(command)


@cli.command(cls=Command)
@click.argument("run_name", metavar="RUN")
@click.option("--allow-differences", is_flag=True, help="Run even if code or packages have changed since.")
@click.option("--checkout", is_flag=True, help="Use the run's own commit, in a temporary worktree.")
@configured
def reproduce(project: Path, run_name: str, allow_differences: bool, checkout: bool) -> None:
    """Repeat RUN from its MLflow record and compare the two bit by bit.

    RUN is a run's id, its name, or `latest`. The exit code is 0 if weights, predictions, metrics and curves are equal
    to the bit, and 2 if they differ or could not be compared.
    """
    from mnist_lstm.tracking.reproduce import rerun

    verdict = rerun.reproduced(project, run_name, allow_differences, checkout)
    click.echo(verdict.sentence)
    if not verdict.equal:
        raise SystemExit(2)


@cli.command(cls=Command)
@click.option("--serve", is_flag=True, help="Show it at http://127.0.0.1:4141 instead, until Ctrl-C.")
@click.option("--port", default=4141, show_default=True, type=click.IntRange(1, 65535))
@click.pass_obj
def site(metadata: Any, serve: bool, port: int) -> None:
    """Build the pipeline's graph, with previews of the last run, as static pages in build/."""
    from mnist_lstm import viz_site

    with one_line_errors():
        if serve:
            viz_site.serve(metadata.project_path, port)
            return
        pages = viz_site.build(metadata.project_path)
    click.echo(f"Pages: {pages} (python -m http.server --bind 127.0.0.1 --directory {pages.name})")


@cli.command(cls=Command)
@click.argument("run_names", metavar="RUN...", nargs=-1)
@click.option("--last", metavar="N", type=click.IntRange(2, 1000), help="The newest N finished runs.")
@configured
def compare(project: Path, run_names: tuple[str, ...], last: int | None) -> None:
    """Show how recorded runs differ: parameters, packages, data, metrics, curves, figures and images.

    RUN is a run's id, its name, or `latest`. Runs that differ in the seed alone are one line. McNemar's test of the
    runs' predictions, or an interval of the means over seeds, says whether a difference in accuracy is larger than
    chance: for each pair, or, with more than three, for each against the first.
    """
    from mnist_lstm.datasets.atomic import atomic_write
    from mnist_lstm.datasets.npz import ImagesDataset
    from mnist_lstm.tracking.compare import comparison, page, runs
    from mnist_lstm.tracking.explained import TEST_IMAGES

    file, written = project / TEST_IMAGES, project / "data" / "08_reporting" / "compare.html"
    images = ImagesDataset(filepath=str(file)).load if file.exists() else None
    found = comparison.of(runs.read(project, run_names, last), images)
    comparison.show(found)
    atomic_write(written, page.page(found).encode())
    click.echo(f"Page: {written}")


@cli.command(name="sync-runs", cls=Command)
@configured
def sync_runs(project: Path) -> None:
    """Send to MLflow what runs recorded while it did not answer."""
    from mnist_lstm.tracking.spool import earlier_runs

    sent, waiting = earlier_runs.sync(project)
    click.echo(f"{sent} runs are complete in MLflow now; {waiting} wait (of another store, still running, or refused)")
    if waiting:
        raise SystemExit(1)


@cli.command(cls=Command)
@click.option("--port", default=5000, show_default=True, type=click.IntRange(1, 65535))
@configured
def ui(project: Path, port: int) -> None:
    """Show the runs in MLflow's pages, at an address that it prints.

    Only this machine can open them.
    """
    from mnist_lstm.tracking import servers

    servers.show_runs(project, port)


@cli.command(cls=Command)
@click.option("--grid", metavar="KEY=V1,V2", multiple=True, help="Run each combination of values; may be repeated.")
@click.option(
    "--seeds", metavar="N", default=1, show_default=True, type=click.IntRange(min=1), help="For each combination."
)
@click.option(
    "--search", metavar="KEY=RANGE", multiple=True, help="LOW:HIGH, log:LOW:HIGH or A,B,C, searched by Optuna's TPE."
)
@click.option("--trials", metavar="N", type=click.IntRange(min=1), help="In a search.  [default: 20]")
@click.option("--metric", default="valid/accuracy", show_default=True, help="Also valid/loss: selects the winner.")
@click.option("--env", "-e", envvar="KEDRO_ENV", help="The preset that all trials start from.")
@click.option("--params", default="", callback=_split_params, help="Parameters of all trials, as for `kedro run`.")
@click.option(
    "--workers", metavar="N", default=1, show_default=True, type=click.IntRange(min=1), help="Trials at once."
)
@click.option(
    "--engine", default="local", show_default=True, type=click.Choice(["local", "ray"]), help="Where trials run."
)
@click.option("--address", help="Of the Ray cluster, as HOST:6379 or auto; without it Ray starts on this machine.")
@click.option("--name", default="", help="Of the study, and of the preset that its winner becomes.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first trial that fails.")
@click.pass_obj
def sweep(metadata: Any, /, **options: Any) -> None:
    """Run the pipeline with many values of its parameters, and write the best ones as a preset.

    Each trial is a run in MLflow, a child of the study's run. The same command again continues a sweep that stopped.
    """
    from mnist_lstm.sweep.options import SweepOptions
    from mnist_lstm.sweep.stages import sweep as run_sweep

    tune_process()
    with one_line_errors():
        run_sweep(SweepOptions(metadata.project_path, **options))
