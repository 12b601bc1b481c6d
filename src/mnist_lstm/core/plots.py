"""The figures: plotly where one hovers, matplotlib where one prints."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # importing them takes longer than drawing, and not every run draws
    from matplotlib.figure import Figure
    from plotly.graph_objects import Figure as PlotlyFigure

# Okabe and Ito's colours for training and validation, told apart by colour-blind readers too
TRAIN_COLOUR, VALID_COLOUR = "#0072B2", "#D55E00"


def learning_curves(history: dict[str, NDArray[Any]], title: str) -> "PlotlyFigure":
    """Loss and accuracy by update, for training batches and validation images.

    Args:
        history: columns iteration, train_loss, train_accuracy, valid_loss, valid_accuracy (nan where not measured).
        title: which run and data.
    """
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=2, subplot_titles=("Loss (nats)", "Accuracy"))
    for column, measure in enumerate(("loss", "accuracy"), 1):
        for split, colour, label in (
            ("train", TRAIN_COLOUR, "training batch"),
            ("valid", VALID_COLOUR, "validation images"),
        ):
            values = history[f"{split}_{measure}"]
            measured = ~np.isnan(values)
            figure.add_scatter(
                x=history["iteration"][measured],
                y=values[measured],
                name=label,
                legendgroup=split,
                showlegend=column == 1,
                mode="lines" if split == "train" else "lines+markers",
                line={"color": colour, "width": 1 if split == "train" else 3},
                row=1,
                col=column,
            )
        figure.update_xaxes(title_text="update", row=1, col=column)
    figure.update_layout(title=title, template="plotly_white", legend={"orientation": "h", "y": -0.2})
    return figure


def confusion_figure(confusion: NDArray[np.int64], class_names: list[str], title: str) -> "Figure":
    """Counts (K, K) of images by label (row) and prediction (column), coloured by the share of the row."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 6.4), layout="constrained")
    axes = figure.add_subplot()
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(confusion):
        if count:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=9)
    ticks = range(len(class_names))
    axes.set_xticks(ticks, class_names, rotation=45 if max(map(len, class_names)) > 2 else 0)
    axes.set_yticks(ticks, class_names)
    axes.set(xlabel="prediction", ylabel="label", title=title)
    figure.colorbar(picture, label="fraction of the label's images", shrink=0.85)
    return figure


def image_grid(images: NDArray[np.uint8], labels: list[str], title: str, columns: int = 10) -> "Figure":
    """The images (N, height, width), dark on light, each under its label."""
    from matplotlib.figure import Figure

    rows = -(-len(images) // columns)
    figure = Figure(figsize=(columns * 0.9, rows * 1.15 + 0.5), layout="constrained")
    figure.suptitle(title)
    for position, axes in enumerate(np.ravel(figure.subplots(rows, columns, squeeze=False))):
        axes.axis("off")
        if position < len(images):
            axes.imshow(images[position], cmap="gray_r", vmin=0, vmax=255)
            axes.set_title(labels[position], fontsize=10)
    return figure
