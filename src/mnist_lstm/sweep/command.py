"""`kedro sweep`: from the command line to the result on the terminal."""

from contextlib import chdir
from dataclasses import replace

from mnist_lstm.sweep import grid, search
from mnist_lstm.sweep.base_parameters import BaseParameters, Changes, base_parameters, from_root
from mnist_lstm.sweep.grid import Grid
from mnist_lstm.sweep.options import TRIALS, SweepOptions
from mnist_lstm.sweep.search import Search
from mnist_lstm.sweep.stages import run_sweep
from mnist_lstm.sweep.trial_source import TrialSource


def sweep(options: SweepOptions) -> None:
    """Runs the sweep and prints its result.

    Raises:
        UserError: if an option is wrong, before anything starts; or if the sweep cannot continue.
    """
    options.check()
    options = replace(options, params=from_root(options.params, options.project))
    with chdir(options.project):  # as the workers
        run_sweep(*_trials(options), options)


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
