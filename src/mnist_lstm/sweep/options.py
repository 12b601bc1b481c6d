"""The options of `kedro sweep`, and what is checked of them before anything starts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnist_lstm.cluster import expect_ray
from mnist_lstm.errors import UserError, listed, nearest
from mnist_lstm.renamed_parameters import with_current_names
from mnist_lstm.sections import flattened
from mnist_lstm.sweep.base_parameters import split_option
from mnist_lstm.sweep.study import DIRECTIONS

TRIALS = 20  # of a search


@dataclass(frozen=True)
class SweepOptions:
    """The command line of `kedro sweep`."""

    project: Path  # the project's root
    grid: Sequence[str]  # "KEY=VALUES" for each parameter
    seeds: int  # of each combination of a grid
    search: Sequence[str]  # likewise
    trials: int | None  # number of trials of a search; None for TRIALS
    metric: str  # on the validation images; chooses the winner
    env: str | None  # the preset
    params: dict[str, Any]  # nested parameters of all trials
    workers: int  # number of trials at once
    engine: str  # "local" or "ray"
    address: str | None  # of the Ray cluster; None starts Ray on this machine
    name: str  # of the study; empty until it is known
    fail_fast: bool  # whether the first failure stops the sweep

    @property
    def folder(self) -> Path:
        """Where the study leaves its files."""
        return self.project / "data" / "08_reporting" / self.name

    def check(self) -> None:
        """Checks what does not depend on the parameters.

        Raises:
            UserError: if options are wrong or contradict each other, or the Ray cluster does not answer.
        """
        if self.metric not in DIRECTIONS:
            raise UserError(
                f"--metric must be {listed(DIRECTIONS)}, not {self.metric!r}{nearest(self.metric, DIRECTIONS)}: the "
                "winner is chosen on the validation images, and only it is tested."
            )
        if self.search and (self.grid or self.seeds > 1):
            raise UserError("a sweep must be a --grid (with --seeds) or a --search, found both; leave one out.")
        if self.trials and not self.search:
            raise UserError(
                f"--trials {self.trials} needs a --search, found none; a grid has a trial for each seed and value."
            )
        if not (self.search or self.grid or self.seeds > 1):
            raise UserError(
                "a sweep needs parameters to change: --grid KEY=V1,V2, --seeds N, or --search KEY=LOW:HIGH."
            )
        given = flattened(with_current_names(self.params, "--params"))
        if given.get("predict.folder") is not None:
            raise UserError("parameter 'predict.folder' is of the pipeline predict, which no trial runs; leave it out.")
        for option, texts in (("--grid", self.grid), ("--search", self.search)):
            for key, _ in (split_option(option, text) for text in texts):
                if key in given:
                    raise UserError(f"{key} must be given once, found {option} and --params; leave one out.")
        if self.name and not re.fullmatch(r"[\w-]+", self.name, re.ASCII):
            raise UserError(f"--name must be letters, digits, - and _, not {self.name!r}: it becomes a folder's name.")
        self._check_engine()

    def _check_engine(self) -> None:
        if self.engine != "ray" and self.address:
            raise UserError(f"--address {self.address!r} needs --engine ray, found {self.engine!r}; add it.")
        if self.engine == "ray":
            expect_ray("--engine ray")
            from mnist_lstm.cluster.joining import expect_cluster

            expect_cluster(self.address)
