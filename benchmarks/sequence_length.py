"""How well each cell does on ever longer sequences: a picture of the sweep that conf/rnn_vs_lstm names.

Give it the table of that sweep, data/08_reporting/NAME/study/trials.csv, or several of its parts, and where the picture
goes. It also prints the numbers: mean and 95 % interval (Student's t) of the seeds.
"""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from scipy import stats

PIXELS = 28 * 28
COLOURS = {"rnn": "#D55E00", "gru": "#009E73", "lstm": "#0072B2"}  # Okabe and Ito's, for every kind of sight
MARKS = {"rnn": "s", "gru": "^", "lstm": "o"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trials", type=Path, nargs="+")
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    trials = pd.concat(map(pd.read_csv, options.trials)).dropna(subset="valid/accuracy")
    trials["steps"] = PIXELS // trials["sequence.patch_size"] ** 2
    found = trials.groupby(["model.cell", "steps"])["valid/accuracy"].agg(["mean", "sem", "count"]).reset_index()
    found["half"] = found["sem"] * stats.t.ppf(0.975, found["count"] - 1)  # of the interval; nan for one seed
    print(found.to_string(index=False))
    draw(trials, found, options.picture)


def draw(trials: pd.DataFrame, found: pd.DataFrame, path: Path) -> None:
    """A line for each cell through the means, by the number of steps, with intervals, and a dot for each seed."""
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    for place, (cell, colour) in enumerate(COLOURS.items()):
        apart = 1.06 ** (place - 1)  # so that intervals do not hide each other
        rows, seeds = found[found["model.cell"] == cell], trials[trials["model.cell"] == cell]
        drawn: dict[str, Any] = {"color": colour, "marker": MARKS[cell], "label": cell.upper(), "capsize": 3}
        axes.errorbar(rows["steps"] * apart, rows["mean"], yerr=rows["half"], **drawn)
        axes.plot(seeds["steps"] * apart, seeds["valid/accuracy"], ".", color=colour, alpha=0.6, markersize=4)
    steps = sorted(trials["steps"].unique())
    axes.set_xscale("log")
    axes.set_xticks(steps, [f"{count}\n{PIXELS // count} pixels each" for count in steps])
    axes.minorticks_off()
    axes.set(
        xlabel="time steps in which an image is read", ylabel="accuracy on 5,000 validation images", ylim=(None, 1)
    )
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="lower left")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
