"""The fair table: cells of equally many weights, trained alike, from the sweep that conf/fair or another preset names.

    python benchmarks/fair.py data/08_reporting/NAME/study/trials.csv fair.png --preset fair

Prints a row for each arm: weights, mean accuracy on validation images with its 95 % interval (Student's t) over the
seeds that every arm has finished, the difference from the LSTM by the paired t test of the same seeds with Holm's
correction, and the time of one core (CPU, not wall) that an update takes, the median of several taken by turns.
"""

import argparse
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml
from matplotlib.figure import Figure

from mnist_lstm.core.data.sequences import pixel_order_for
from mnist_lstm.core.evaluation.significance import holm, mean_interval, paired_interval
from mnist_lstm.core.model.classifier import new_classifier
from mnist_lstm.core.training.learner import Learner
from mnist_lstm.parameters import Parameters, checked

CONF = Path(__file__).parents[1] / "conf"
CLASSES, SIDE = 10, 28
METRIC = "valid/accuracy"
UPDATES = 9  # timed, of each arm


def arms(name: str) -> dict[str, Parameters]:
    """The parameters of each arm of a preset."""
    base, preset, changes = (
        yaml.safe_load((CONF / file).read_text())
        for file in ("base/parameters.yml", f"{name}/parameters.yml", f"{name}/arms.yml")
    )

    def merged(*layers: dict[str, Any]) -> dict[str, Any]:
        return {
            block: {key: value for layer in layers for key, value in layer.get(block, {}).items()} for block in base
        }

    return {name: checked(merged(base, preset, change)) for name, change in changes.items()}


def learner(arm: Parameters) -> tuple[Learner, torch.Tensor, torch.Tensor]:
    """An arm before its first update, with a batch of random images."""
    order = pixel_order_for(arm.sequence, SIDE, SIDE)
    classifier = new_classifier(arm.model, order.shape, CLASSES, seed=1)
    random = np.random.default_rng(1)
    images = random.integers(0, 256, (arm.training.batch_size, *order.shape), np.uint8)
    labels = random.integers(0, CLASSES, arm.training.batch_size)
    return Learner(classifier, arm.training, UPDATES + 1), torch.from_numpy(images), torch.from_numpy(labels)


def weights(arm: Parameters) -> int:
    """The number of weights that an arm trains."""
    order = pixel_order_for(arm.sequence, SIDE, SIDE)
    trained = new_classifier(arm.model, order.shape, CLASSES, seed=1).parameters()
    return sum(weight.numel() for weight in trained if weight.requires_grad)


def milliseconds(of_arm: dict[str, Parameters]) -> dict[str, float]:
    """The CPU time of an update of each arm, the median of some after the first."""
    torch.set_num_threads(1)
    learners = {name: learner(arm) for name, arm in of_arm.items()}
    times: dict[str, list[float]] = {name: [] for name in learners}
    for update in range(1, UPDATES + 2):
        for name, (each, images, labels) in learners.items():
            began = time.process_time()
            each.learn(images, labels, update)
            times[name].append(time.process_time() - began)
    return {name: 1000 * median(taken[1:]) for name, taken in times.items()}


def found(trials: pd.DataFrame) -> pd.DataFrame:
    """The accuracy of each arm (rows) by each seed (columns) that every arm has finished."""
    return trials.pivot(index="arm", columns="training.seed", values=METRIC).dropna(axis=1)


def table(accuracies: pd.DataFrame, of_arm: dict[str, Parameters]) -> list[str]:
    """The rows as Markdown, the best arm first."""
    took = milliseconds(of_arm)
    rivals = [name for name in accuracies.index if name != "lstm"]
    paired = {name: paired_interval(accuracies.loc[name], accuracies.loc["lstm"], 0.95) for name in rivals}
    corrected = dict(zip(rivals, holm([paired[name].p_value for name in rivals]), strict=True))
    lines = []
    for name in accuracies.mean(axis=1).sort_values(ascending=False).index:
        mean = mean_interval(accuracies.loc[name], 0.95, (0, 1))
        than = "" if name == "lstm" else f"{paired[name].mean:+.4f} ({paired[name].text}), p = {corrected[name]:.2g}"
        arm = of_arm[name]
        cells = [f"`{name}`", f"{arm.model.hidden_size}", f"{weights(arm):,}", f"{arm.training.learning_rate:g}"]
        cells += [f"{mean.mean:.4f} ({mean.text})", than, f"{took[name]:.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def draw(accuracies: pd.DataFrame, path: Path) -> None:
    """A line for each arm: its mean with its interval, and a dot for each seed."""
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    order = accuracies.mean(axis=1).sort_values().index
    for place, name in enumerate(order):
        mean = mean_interval(accuracies.loc[name], 0.95, (0, 1))
        colour = "#D55E00" if name == "lstm" else "#0072B2"  # Okabe and Ito's, for every kind of sight
        axes.plot([mean.low, mean.high], [place, place], color=colour, linewidth=2)
        axes.plot(mean.mean, place, "o", color=colour)
        axes.plot(
            accuracies.loc[name], [place - 0.22] * accuracies.shape[1], ".", color=colour, alpha=0.5, markersize=5
        )
    axes.set_yticks(range(len(order)), order)
    axes.set_xlabel(f"accuracy on 5,000 validation images, mean of {accuracies.shape[1]} seeds with 95 % interval")
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trials", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--preset", default="fair", help="that the sweep started from (default: fair)")
    options = parser.parse_args()
    accuracies = found(pd.read_csv(options.trials))
    print(f"seeds {', '.join(map(str, accuracies.columns))}", *table(accuracies, arms(options.preset)), sep="\n")
    draw(accuracies, options.picture)


if __name__ == "__main__":
    main()
