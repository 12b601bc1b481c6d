"""`kedro sweep`: from what the user asks to what the user sees."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import get_console

from mnist_lstm.cluster import expect_ray
from mnist_lstm.errors import UserError, listed, nearest
from mnist_lstm.sweep import grid as grids
from mnist_lstm.sweep import preset, report
from mnist_lstm.sweep import search as searches
from mnist_lstm.sweep.base_parameters import BaseParameters, base_parameters
from mnist_lstm.sweep.grid import Grid
from mnist_lstm.sweep.search import Search
from mnist_lstm.sweep.stages import StudyResult, SweepOptions, conduct, name_of, specification
from mnist_lstm.sweep.study import DIRECTIONS
from mnist_lstm.sweep.trial_source import TrialSource


def sweep(
    project: Path,
    grid: Sequence[str],
    seeds: int,
    search: Sequence[str],
    trials: int,
    metric: str,
    env: str | None,
    params: dict[str, Any],
    workers: int,
    name: str | None,
    fail_fast: bool,
    engine: str,
    address: str | None,
) -> None:
    """Runs the sweep and tells what it found.

    Raises:
        UserError: if something that was asked for is wrong, before anything starts; or if the sweep cannot go on.
    """
    _expect_metric(metric)
    _expect_engine(engine, address)
    if search and (grid or seeds > 1):
        raise UserError("a sweep must be a --grid (with --seeds) or a --search, found both; leave one out.")
    start = project, env, params
    base, chosen = _search(*start, search, trials, metric) if search else _grid(*start, grid, seeds)
    about = specification(base, chosen, metric)
    options = SweepOptions(name or name_of(about), metric, workers, fail_fast, engine, address)
    _expect_name(options.name)
    preset.expect_free(project, options.name)

    def show(result: StudyResult) -> None:
        told = report.write(base, chosen, options, result)
        get_console().print("\n" + "\n".join(told), highlight=False, markup=False, soft_wrap=True)

    conduct(base, chosen, options, about, show)


def _grid(
    project: Path, env: str | None, params: dict[str, Any], options: Sequence[str], seeds: int
) -> tuple[BaseParameters, TrialSource]:
    if not options and seeds == 1:
        raise UserError("a sweep needs parameters to change: --grid KEY=V1,V2, --seeds N, or --search KEY=LOW:HIGH.")
    axes = grids.parsed(options)
    base = base_parameters(project, env, params, {key: values[0] for key, values in axes.items()})
    return base, Grid(base, axes, seeds)


def _search(
    project: Path, env: str | None, params: dict[str, Any], options: Sequence[str], trials: int, metric: str
) -> tuple[BaseParameters, TrialSource]:
    axes = searches.parsed(options)
    base = base_parameters(project, env, params, {key: values[0] for key, values in axes.items()})  # a range's low end
    return base, Search(base, axes, trials, metric)


def _expect_metric(metric: str) -> None:
    if metric not in DIRECTIONS:
        raise UserError(
            f"--metric must be {listed(DIRECTIONS)}, not {metric!r}{nearest(metric, DIRECTIONS)}: the winner is chosen "
            "on the validation images, and only it is tested."
        )


def _expect_engine(engine: str, address: str | None) -> None:
    if engine != "ray" and address:
        raise UserError(f"--address {address!r} needs --engine ray, found {engine!r}; add it.")
    if engine == "ray":
        expect_ray("--engine ray")
        from mnist_lstm.cluster.joining import expect_cluster

        expect_cluster(address)


def _expect_name(name: str) -> None:
    if not re.fullmatch(r"[\w-]+", name, re.ASCII):
        raise UserError(f"--name must be letters, digits, - and _, not {name!r}: it becomes a folder's name.")
