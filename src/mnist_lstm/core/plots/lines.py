"""Lines described once and drawn twice: by plotly to hover and zoom, by matplotlib to print."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from mnist_lstm.core.plots.style import SMALL, new_figure

if TYPE_CHECKING:  # importing them takes longer than drawing, and not every run draws
    from matplotlib.figure import Figure
    from plotly.graph_objects import Figure as PlotlyFigure


@dataclass(frozen=True)
class Line:
    """One line; equal names in several panels are one entry of the legend."""

    name: str
    x: NDArray[Any]
    y: NDArray[Any]
    colour: str
    strong: bool = False  # thick, with a mark at each point


@dataclass(frozen=True)
class Panel:
    """One pair of axes; `y_range` is the data's where it is None."""

    title: str
    x_label: str
    y_label: str
    lines: list[Line] = field(default_factory=list)
    y_range: tuple[float, float] | None = None


def interactive(panels: list[Panel], title: str) -> "PlotlyFigure":
    """The panels side by side, to hover and zoom."""
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=len(panels), subplot_titles=[panel.title for panel in panels])
    named: set[str] = set()
    for column, panel in enumerate(panels, 1):
        for line in panel.lines:
            figure.add_scatter(
                x=line.x,
                y=line.y,
                name=line.name,
                legendgroup=line.name,
                showlegend=line.name not in named,
                mode="lines+markers" if line.strong else "lines",
                line={"color": line.colour, "width": 3 if line.strong else 1.5},
                row=1,
                col=column,
            )
            named.add(line.name)
        figure.update_xaxes(title_text=panel.x_label, row=1, col=column)
        figure.update_yaxes(title_text=panel.y_label, range=panel.y_range, row=1, col=column)
    figure.update_layout(title=title, template="plotly_white", legend={"orientation": "h", "y": -0.2})
    return figure


def printed(panels: list[Panel], title: str, note: str = "") -> "Figure":
    """The panels side by side, to print."""
    figure = new_figure(3.8, title, note)
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        for line in panel.lines:
            axes.plot(
                line.x,
                line.y,
                label=line.name,
                color=line.colour,
                linewidth=2 if line.strong else 1,
                marker="o" if line.strong else "",
                markersize=4,
            )
        axes.set(title=panel.title, xlabel=panel.x_label, ylabel=panel.y_label, ylim=panel.y_range)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].legend(loc="best", fontsize=SMALL, frameon=False)
    return figure
