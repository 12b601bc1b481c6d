"""`kedro sweep`: from the command line to the result on the terminal."""

from contextlib import chdir
from dataclasses import replace

from rich import get_console

from mnist_lstm.sweep import grid, preset, report, search
from mnist_lstm.sweep.base_parameters import BaseParameters, Changes, base_parameters, from_root
from mnist_lstm.sweep.grid import Grid
from mnist_lstm.sweep.options import TRIALS, SweepOptions
from mnist_lstm.sweep.search import Search
from mnist_lstm.sweep.stages import StudyResult, default_name, run_sweep, specification
from mnist_lstm.sweep.trial_source import TrialSource


def sweep(options: SweepOptions) -> None:
    """Runs the sweep and prints its result.

    Raises:
        UserError: if an option is wrong, before anything starts; or if the sweep cannot continue.
    """
    options.check()
    options = replace(options, params=from_root(options.params, options.project))
    with chdir(options.project):  # as the workers
        _sweep(options)


def _sweep(options: SweepOptions) -> None:
    base, trials = _trials(options)
    about = specification(base, trials, options.metric)
    options = replace(options, name=options.name or default_name(about))
    preset.expect_free(options.project, options.name)

    def show(result: StudyResult) -> None:
        lines = report.write(base, trials, options, result)
        get_console().print("\n" + "\n".join(lines), highlight=False, markup=False, soft_wrap=True)

    run_sweep(base, trials, options, about, show)


def _trials(options: SweepOptions) -> tuple[BaseParameters, TrialSource]:
    def base(example: Changes) -> BaseParameters:
        return base_parameters(options.project, options.env, options.params, example)

    if options.search:
        ranges = search.parse_axes(options.search)
        shared = base({key: values[0] for key, values in ranges.items()})  # the low end of a range
        return shared, Search(shared, ranges, options.trials or TRIALS, options.metric)
    axes = grid.parse_axes(options.grid)
    shared = base({key: values[0] for key, values in axes.items()})
    return shared, Grid(shared, axes, options.seeds)
