"""Lines described once and drawn twice: for plotly to hover and zoom, by matplotlib to print."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from mnist_lstm.core.plots.style import SMALL, new_figure

MARKED = 60  # points, beyond which the marks of a line would hide it

GRID = "rgba(128, 128, 128, 0.25)"  # on light and dark pages
GAP = 0.1  # between two panels, a fraction of the width

if TYPE_CHECKING:  # importing them takes longer than drawing, and not every run draws
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Line:
    """One line; equal names in several panels are one entry of the legend."""

    name: str
    x: NDArray[Any]
    y: NDArray[Any]
    colour: str
    strong: bool = False  # thick, with a mark at each point
    interval: tuple[NDArray[Any], NDArray[Any]] | None = None  # below and above y, shown as a band
    dash: str = "-"  # as matplotlib writes it


@dataclass(frozen=True)
class Panel:
    """One pair of axes; a range is the data's where it is None."""

    x_label: str
    y_label: str
    lines: list[Line] = field(default_factory=list)
    y_range: tuple[float, float] | None = None
    x_range: tuple[float, float] | None = None


def interactive(panels: list[Panel], title: str) -> dict[str, Any]:
    """The panels side by side, to hover and zoom: plotly's data and layout, without plotly, which is slow to load.

    Source of the keys: https://plotly.com/javascript/reference.
    """
    layout: dict[str, Any] = {
        "title": {"text": title.replace("\n", "<br>")},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "legend": {"orientation": "h", "y": -0.2},
        "margin": {"t": 90},  # pixels: room for a title of two lines
    }
    lines: list[dict[str, Any]] = []
    for number, panel in enumerate(panels):
        axis = str(number + 1) if number else ""
        width = (1 + GAP) / len(panels)  # of a panel with the gap to the next
        domain = [number * width, (number + 1) * width - GAP]
        layout[f"xaxis{axis}"] = _axis(panel.x_label, panel.x_range, f"y{axis}") | {"domain": domain}
        layout[f"yaxis{axis}"] = _axis(panel.y_label, panel.y_range, f"x{axis}")
        for line in panel.lines:
            named = line.name in {other["name"] for other in lines}
            lines.append(_trace(line) | {"xaxis": f"x{axis}", "yaxis": f"y{axis}", "showlegend": not named})
    return {"data": lines, "layout": layout}


def _axis(label: str, span: tuple[float, float] | None, anchor: str) -> dict[str, Any]:
    return {
        "title": {"text": label},
        "gridcolor": GRID,  # Kedro-Viz gives its own colour to the first panel alone
        "zeroline": False,
        "automargin": True,
        "anchor": anchor,
    } | ({"range": span} if span else {})


def _trace(line: Line) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": line.x.tolist(),
        "y": line.y.tolist(),
        "name": line.name,
        "legendgroup": line.name,
        "mode": "lines+markers" if line.strong else "lines",
        "line": {"color": line.colour, "width": 3 if line.strong else 1.5},
        "error_y": _whiskers(line),
    }


def _whiskers(line: Line) -> dict[str, Any]:
    """The interval as plotly's whiskers, which its hover tells in numbers too."""
    if line.interval is None:
        return {}
    low, high = line.interval
    above, below = (high - line.y).tolist(), (line.y - low).tolist()
    return {"array": above, "arrayminus": below, "symmetric": False, "thickness": 1, "width": 2}


def printed(panels: list[Panel], title: str, note: str = "", legend_columns: int = 2) -> "Figure":
    """The panels side by side, to print; a line whose name begins with "_" is not in the legend."""
    figure = new_figure(4, title, note)
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        for line in panel.lines:
            _draw(axes, line)
        axes.set(xlabel=panel.x_label, ylabel=panel.y_label, xlim=panel.x_range, ylim=panel.y_range)
        axes.xaxis.get_major_locator().set_params(integer=True, nbins=8, min_n_ticks=1)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_title(" ", fontsize=SMALL)  # room for the legend, through which no line may run
    place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": legend_columns}
    legend = figure.axes[0].legend(**place, fontsize=SMALL, frameon=False)
    legend.set_in_layout(False)  # or its width would set the axes apart
    return figure


def _draw(axes: "Axes", line: Line) -> None:
    axes.plot(
        line.x,
        line.y,
        label=line.name,
        color=line.colour,
        linewidth=2 if line.strong else 1,
        linestyle=line.dash,
        marker="o" if line.strong and len(line.x) <= MARKED else "",
        markersize=3,
    )
    if line.interval is not None:
        low, high = line.interval
        axes.fill_between(line.x, low, high, color=line.colour, alpha=0.25, linewidth=0)
        if len(line.x) == 1:  # no band
            axes.vlines(line.x, low, high, color=line.colour)
