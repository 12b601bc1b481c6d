"""A picture of ratios: a bar for the median, and a line from the least to the greatest."""

import statistics
from pathlib import Path

from matplotlib.figure import Figure


def draw(ratios: dict[str, list[float]], path: Path) -> None:
    """Writes it; the first bar is what the others are measured against."""
    figure = Figure(figsize=(7.2, 0.5 * len(ratios) + 0.9), layout="constrained")
    axes = figure.subplots()
    for place, (name, values) in enumerate(ratios.items()):
        middle = statistics.median(values)
        axes.barh(place, middle, color="#0072B2" if name.startswith("mnist_lstm") else "#999999", height=0.7)
        axes.plot([min(values), max(values)], [place, place], color="black", linewidth=1.2)
        axes.text(max(values) + 0.02, place, f"{middle:.2f}", va="center")
    axes.set_yticks(range(len(ratios)), list(ratios))
    axes.invert_yaxis()
    axes.axvline(1, color="black", linewidth=0.6, linestyle=":")
    axes.set_xlabel("updates a second, as a multiple of the ordinary PyTorch script's")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)
