"""The curves of several runs in one figure."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mnist_lstm.core.plots.style import PALETTE

if TYPE_CHECKING:  # importing plotly takes longer than drawing
    from plotly.graph_objects import Figure

DASHES = ("solid", "dash", "dot")  # the next dash where there are more runs than colours

# Of one run: (update, value) of each curve, by the names "train/loss", "valid/accuracy" and so on
Curves = Mapping[str, Sequence[tuple[int, float]]]


def overlaid_curves(runs: Mapping[str, Curves]) -> "Figure":
    """Loss and accuracy by update: validation thick, training batches thin, a colour for each run.

    Args:
        runs: the curves of each run by its name in the legend; they may be of different length, or empty.
    """
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=2, subplot_titles=("Loss (nats)", "Accuracy"), horizontal_spacing=0.07)
    for position, (name, curves) in enumerate(runs.items()):
        line = {
            "color": PALETTE[position % len(PALETTE)],
            "dash": DASHES[position // len(PALETTE) % len(DASHES)],
        }
        for column, measure in enumerate(("loss", "accuracy"), 1):
            for split, width, opacity in (("train", 1, 0.45), ("valid", 3, 1.0)):
                points = curves.get(f"{split}/{measure}", ())
                figure.add_scatter(
                    x=[update for update, _ in points],
                    y=[value for _, value in points],
                    name=name,
                    legendgroup=name,
                    showlegend=(split, measure) == ("valid", "loss"),
                    mode="lines+markers" if split == "valid" else "lines",
                    line=line | {"width": width},
                    opacity=opacity,
                    # the update too: validation is shown from some way off, under the heading of another update
                    hovertemplate=f"%{{y:.4f}} {split} at %{{x}}, {name}<extra></extra>",
                    row=1,
                    col=column,
                )
    figure.update_yaxes(type="log", tickformat=".2~g", row=1, col=1)  # else 0.9 is "9", as 9 is
    figure.update_xaxes(title_text="update")
    figure.update_layout(
        title={"text": "thick: validation images; thin: training batches", "font": {"size": 13}},
        template="plotly_white",
        hovermode="x unified",
        legend={"orientation": "h", "y": -0.15},
    )
    return figure
