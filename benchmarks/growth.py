"""How time and memory of the training grow: with the units, the steps, the images and the batch, one at a time.

Every point is a process of its own. The ideal is a line from the tutorial's setting: time by the operations of an
update, memory by the bytes that must be held.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import NamedTuple

from gemm import gflop_of_an_update
from matplotlib.figure import Figure
from measuring import Run, machine, process

PROJECT = Path(__file__).parents[1]
CONTENDER = Path(__file__).with_name("contenders") / "this_project.py"
PIXELS, UPDATES, FLOAT = 784, 100, 4


class Setting(NamedTuple):
    """Sizes, the tutorial's own if nothing else is said."""

    hidden: int = 128
    steps: int = 28
    images: int = 55_000
    batch: int = 128

    def gflop(self) -> float:
        """Of an update."""
        return float(gflop_of_an_update(self.batch, self.steps, PIXELS // self.steps, self.hidden))

    def megabytes(self) -> float:
        """The images; weights, gradients and Adam's two moments; gates and states of every step until backward."""
        weights = 4 * self.hidden * (PIXELS // self.steps + self.hidden + 1)
        states = self.batch * self.steps * 6 * self.hidden
        return (self.images * PIXELS + FLOAT * (4 * weights + states)) / 1e6


class Found(NamedTuple):
    """Of one setting: milliseconds of an update, and megabytes at the peak."""

    milliseconds: float
    megabytes: float


AXES = {
    "hidden": ("units", (64, 128, 256, 512, 1024)),
    "steps": ("steps", (28, 56, 112, 196, 392, 784)),
    "images": ("training images", (10_000, 55_000, 100_000, 300_000, 1_000_000)),
    "batch": ("images in a batch", (32, 64, 128, 256, 512, 1024)),
}
TICKS = {"milliseconds": (10, 20, 50, 100, 200, 500, 1000), "megabytes": (500, 1000, 1500)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=PROJECT / "data/01_raw/mnist", help="with MNIST's four files")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--figure", type=Path, help="write the curves as a picture (.svg or .png)")
    options = parser.parse_args()
    settings = dict.fromkeys(Setting(**{axis: size}) for axis, (_, sizes) in AXES.items() for size in sizes)
    runs: list[Run] = []
    rounds = [{setting: measured(setting, options.folder, runs) for setting in settings} for _ in range(options.rounds)]
    found = {setting: middle([turn[setting] for turn in rounds]) for setting in settings}
    print("\n".join([*table(found), *machine(runs)]))
    if options.figure:
        draw(found, options.figure)


def measured(setting: Setting, folder: Path, runs: list[Run]) -> Found:
    """One training."""
    words = [word for name, size in setting._asdict().items() for word in (f"--{name}", str(size))]
    run = process(PROJECT, sys.executable, str(CONTENDER), str(folder.resolve()), "--updates", str(UPDATES), *words)
    runs.append(run)
    return Found(1000 / json.loads(run.output.strip().splitlines()[-1])["updates_a_second"], run.megabytes)


def middle(found: list[Found]) -> Found:
    """The medians."""
    return Found(*(statistics.median(values) for values in zip(*found, strict=True)))


def ideal(setting: Setting, found: dict[Setting, Found]) -> Found:
    """What the tutorial's setting took, and what operations and bytes add."""
    start = Setting()
    return Found(
        found[start].milliseconds * setting.gflop() / start.gflop(),
        found[start].megabytes + setting.megabytes() - start.megabytes(),
    )


def table(found: dict[Setting, Found]) -> list[str]:
    """A line for each setting."""
    lines = [f"{'':32}{'ms/update':>10}{'ideal':>9}{'ratio':>7}{'MB':>8}{'ideal':>8}"]
    for axis, (name, sizes) in AXES.items():
        for size in sizes:
            setting = Setting(**{axis: size})
            mine, best = found[setting], ideal(setting, found)
            lines.append(
                f"{f'{size:,} {name}':32}{mine.milliseconds:10.1f}{best.milliseconds:9.1f}"
                f"{mine.milliseconds / best.milliseconds:7.2f}{mine.megabytes:8.0f}{best.megabytes:8.0f}"
            )
    return lines


def draw(found: dict[Setting, Found], path: Path) -> None:
    """Writes time and memory, a column for each axis."""
    figure = Figure(figsize=(11, 5), layout="constrained")
    panels = figure.subplots(2, len(AXES), sharey="row", sharex="col")
    for column, (axis, (name, sizes)) in enumerate(AXES.items()):
        settings = [Setting(**{axis: size}) for size in sizes]
        for row, quantity in enumerate(Found._fields):
            panel = panels[row, column]
            best = [getattr(ideal(setting, found), quantity) for setting in settings]
            panel.loglog(sizes, best, color="#999999", linestyle="--", label="ideal")
            mine = [getattr(found[setting], quantity) for setting in settings]
            panel.loglog(sizes, mine, color="#0072B2", marker="o", label="measured")
            panel.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=45)
            panel.yaxis.set_major_formatter("{x:,.0f}")
            panel.minorticks_off()
            panel.set_yticks(TICKS[quantity])
            panel.spines[["top", "right"]].set_visible(False)
            panel.grid(alpha=0.3)
        panels[1, column].set_xlabel(name)
    panels[0, 0].set_ylabel("ms of an update")
    panels[1, 0].set_ylabel("MB at the peak")
    panels[0, 0].legend(frameon=False)
    figure.savefig(path)


if __name__ == "__main__":
    main()
