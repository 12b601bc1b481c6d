"""What all figures share: colours, size, and images beside what happens at each step."""

import textwrap
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.data.sequences import step_word

if TYPE_CHECKING:  # importing it takes longer than drawing, and not every run draws
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which colour-blind readers distinguish too: https://jfly.uni-koeln.de/color/
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
BLUE, VERMILLION, GREY = *PALETTE[:2], "#595959"
PROBABILITY_MAP = "bone_r"  # its lightness falls evenly, from white for 0 to black for 1
OPENNESS_MAP = "viridis"  # perceptually uniform
SIGNED_MAP = "PuOr"  # two hues that everybody tells apart, and 0 is white

WIDTH = 8.0  # inches: a printed page, and at 100 pixels an inch a browser's column, where 10 points are read easily
SMALL = 9  # points, the smallest text
TITLE = 11
LEFT = 0.01  # fraction of the width
DEVIATIONS = 3  # of a feature that the colours of series span, to either side
MOST_ASPECT = 2.0  # of a drawn image
NUMBERED = 5  # steps at most along an axis
ROUND = [digit * 10**zeros for zeros in range(9) for digit in (1, 2, 5)]
STEP_BELOW = ("rows", "steps")  # views whose steps lie below each other in the image
NAMED = 3  # characters of a name that no font draws
LINE = 105  # characters of that size across the figure


def new_figure(height: float, title: str, note: str = "", keep_proportions: bool = False) -> "Figure":
    """An empty figure of the common width, `height` inches, with a title of one line or more and a note below.

    Axes that show images keep their proportions, and then move together.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    _forget_users_settings()
    engine = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08, compress=keep_proportions)
    figure = Figure(figsize=(WIDTH, height), layout=engine)
    lines = (textwrap.fill(line, LINE * SMALL // TITLE) for line in title.split("\n"))
    # from the left, where a reader on a small screen begins
    figure.suptitle("\n".join(lines), x=LEFT, ha="left", fontsize=TITLE)
    if note:
        figure.supxlabel(textwrap.fill(note, LINE), x=LEFT, ha="left", fontsize=SMALL, color=GREY)
    return figure


@cache
def _forget_users_settings() -> None:
    """Figures are the same for everybody: a user's matplotlibrc may want LaTeX, or fonts, that are not there."""
    import matplotlib

    matplotlib.rcdefaults()


def show(axes: "Axes", image: NDArray[Any]) -> None:
    """Draws an image or a scaled series alone."""
    height, width = image.shape
    axes.imshow(image, **shades(image), aspect=box_aspect(image) * width / height)


def show_image(
    axes: "Axes", image: NDArray[np.uint8], view: str, framed: NDArray[np.int64], heading: str, wrong: bool
) -> None:
    """Draws an image (height, width), dark on light, and frames those pixels, positions in the flattened image.

    The heading may be as wide as the image and what stands beside it.
    """
    height, width = image.shape
    axes.imshow(image, **shades(image), extent=(0.5, width + 0.5, height + 0.5, 0.5), aspect="auto")
    axes.set_box_aspect(box_aspect(image))
    axes.set(xticks=[], yticks=[])
    colour = VERMILLION if wrong else "black"
    axes.set_title(heading, fontsize=SMALL, loc="left", color=colour).set_in_layout(False)
    if len(framed):
        _outline(axes, framed, height, width)
    if view in STEP_BELOW:
        number_steps(axes, height, view)


def shades(image: NDArray[Any]) -> dict[str, Any]:
    """How imshow colours an image, uint8 dark on light, or a scaled series."""
    if image.dtype == np.uint8:
        return {"cmap": "gray_r", "vmin": 0, "vmax": 255}
    return {"cmap": SIGNED_MAP, "vmin": -DEVIATIONS, "vmax": DEVIATIONS, "interpolation": "nearest"}


def box_aspect(image: NDArray[Any]) -> float:
    """Height by width of an image; a series of many steps is squeezed."""
    height, width = image.shape
    return float(np.clip(height / width, 1 / MOST_ASPECT, MOST_ASPECT))


def show_steps(axes: "Axes", values: NDArray[Any], decided: int | None, **colours: Any) -> Any:
    """Draws a heat map of values (T, columns), time downwards from 1, and frames the step decided at, if there is."""
    steps, columns = values.shape
    place = (0.5, columns + 0.5, steps + 0.5, 0.5)
    picture = axes.imshow(values, extent=place, aspect="auto", interpolation="nearest", **colours)
    axes.set(xticks=[], yticks=[])
    if decided:
        axes.axhspan(decided - 0.5, decided + 0.5, facecolor="none", edgecolor=VERMILLION, linewidth=1.5)
    return picture


def number_steps(axes: "Axes", steps: int, view: str) -> None:
    """Numbers some of the T steps along the vertical axis, evenly and by round numbers."""
    apart = next(each for each in ROUND if steps <= NUMBERED * each)
    axes.set_yticks(range(apart, steps + 1, apart))
    axes.tick_params(labelsize=SMALL)
    axes.set_ylabel(step_word(view).one, fontsize=SMALL)


def _outline(axes: "Axes", pixels: NDArray[np.int64], height: int, width: int) -> None:
    """Frames the pixels, whatever shape they make: a line wherever one of them meets another pixel or the border."""
    from matplotlib.collections import LineCollection

    inside = np.zeros(height * width, bool)
    inside[pixels] = True
    inside = np.pad(inside.reshape(height, width), 1)
    below, beside = np.argwhere(inside[1:] != inside[:-1]), np.argwhere(inside[:, 1:] != inside[:, :-1])
    lines = [((x - 0.5, y + 0.5), (x + 0.5, y + 0.5)) for y, x in below]
    lines += [((x + 0.5, y - 0.5), (x + 0.5, y + 0.5)) for y, x in beside]
    axes.add_collection(LineCollection(lines, colors=VERMILLION, linewidths=1.5), autolim=False)


def framed_pixels(pixel_order: NDArray[np.int64], decided: int | None) -> NDArray[np.int64]:
    """The pixels read at the step decided at, 1 to T, by a view (T, F); none where there is no such step."""
    return pixel_order[decided - 1] if decided else pixel_order[:0].ravel()


def class_ticks(axes: "Axes", class_names: list[str]) -> None:
    """Names the classes along the horizontal axis, upright where they are long."""
    axes.set_xticks(range(1, len(class_names) + 1), class_names, fontsize=SMALL)
    if are_long(class_names):
        axes.tick_params(axis="x", rotation=90)


def are_long(class_names: list[str]) -> bool:
    """Whether the names do not fit beside each other below a small heat map."""
    return max(map(len, class_names)) > 2


def drawable(class_names: list[str]) -> list[str]:
    """The names of labels 0 to K - 1 as figures can draw them.

    A dollar sign is no mathematics. A name that the font of the figures lacks, as kana, becomes "class 0 (U+304A)".
    """
    from matplotlib.font_manager import findfont, get_font

    known = get_font(findfont("DejaVu Sans")).get_charmap()
    return [
        name.replace("$", r"\$")
        if all(ord(each) in known for each in name)
        else f"class {label} ({' '.join(f'U+{ord(each):04X}' for each in name[:NAMED])})"
        for label, name in enumerate(class_names)
    ]
