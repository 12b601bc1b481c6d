"""The curves of several runs in one figure."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # importing plotly takes longer than drawing
    from plotly.graph_objects import Figure

# Okabe and Ito's colours that show on white, told apart by colour-blind readers too; then again, dashed
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("solid", "dash", "dot")

# Of one run: (update, value) of each curve, by the names "train/loss", "valid/accuracy" and so on
Curves = Mapping[str, Sequence[tuple[int, float]]]


def overlaid_curves(runs: Mapping[str, Curves], title: str) -> "Figure":
    """Loss and accuracy by update: validation thick, training batches thin, a colour for each run.

    Args:
        runs: the curves of each run by its name in the legend; they may be of different length, or empty.
        title: which data.
    """
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=2, subplot_titles=("Loss (nats)", "Accuracy"), horizontal_spacing=0.07)
    for position, (name, curves) in enumerate(runs.items()):
        line = {
            "color": COLOURS[position % len(COLOURS)],
            "dash": DASHES[position // len(COLOURS) % len(DASHES)],
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
    figure.update_yaxes(type="log", row=1, col=1)
    figure.update_xaxes(title_text="update")
    figure.update_layout(
        title={"text": title, "subtitle": {"text": "thick: validation images; thin: training batches"}},
        template="plotly_white",
        hovermode="x unified",
        legend={"orientation": "h", "y": -0.15},
    )
    return figure
