"""How well each cell does on ever longer sequences: a picture of the sweep that conf/rnn_vs_lstm names.

Give it the table of that sweep, data/08_reporting/NAME/study/trials.csv, and where the picture goes.
"""

import argparse
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

PIXELS = 28 * 28
COLOURS = {"rnn": "#D55E00", "gru": "#009E73", "lstm": "#0072B2"}  # Okabe and Ito's, for every kind of sight
MARKS = {"rnn": "s", "gru": "^", "lstm": "o"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trials", type=Path)
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    trials = pd.read_csv(options.trials).dropna(subset="valid/accuracy")
    trials["steps"] = PIXELS // trials["sequence.patch_size"] ** 2
    draw(trials, options.picture)


def draw(trials: pd.DataFrame, path: Path) -> None:
    """A line for each cell, by the number of steps."""
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    for cell, rows in trials.sort_values("steps").groupby("model.cell", sort=False):
        axes.plot(rows["steps"], rows["valid/accuracy"], color=COLOURS[cell], marker=MARKS[cell], label=cell.upper())
    steps = sorted(trials["steps"].unique())
    axes.set_xscale("log")
    axes.set_xticks(steps, [f"{count}\n{PIXELS // count} pixels each" for count in steps])
    axes.minorticks_off()
    axes.set(xlabel="time steps in which an image is read", ylabel="accuracy on 5,000 validation images")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
