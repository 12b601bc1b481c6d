"""Inside the cell: how far the gates open and what the states hold while an image is read."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.evaluation.by_step import decision_steps
from mnist_lstm.core.plots.style import (
    OPENNESS_MAP,
    SIGNED_MAP,
    SMALL,
    STEP_BELOW,
    box_aspect,
    framed_pixels,
    new_figure,
    number_steps,
    show_image,
    show_steps,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Arrays = dict[str, NDArray[Any]]


def states_figure(
    examples: Arrays, states: Arrays, class_names: list[str], units: int, view: str, run: str
) -> "Figure":
    """A right and a wrong example next to heat maps of gates and states, time downwards as the rows of the image.

    Args:
        examples: "images" (N, height, width), "labels" (N,), "beliefs" (N, T, K) or (N, 1, K), and "order" (T, F).
        states: by name, each (N, T, units); those called "... gate" are between 0 and 1, the others have a sign.
        units: of the readout's input, in all.
    """
    answers, pixel_order = examples["beliefs"].argmax(axis=-1), examples["order"]
    chosen = _one_of_each(answers[:, -1] == examples["labels"])
    shown = next(iter(states.values())).shape[-1]
    note = f"the {shown} of {units} units with the largest weights in the readout, the largest on the left"
    title = "Gates and states" if any(name.endswith("gate") for name in states) else "Hidden states"
    figure = new_figure(1.75 * len(chosen) + 1.25, f"{title}\n{run}", note, keep_proportions=True)
    grid = figure.subplots(len(chosen) + 1, 1 + len(states), height_ratios=[*[1] * len(chosen), 0.06])
    grid[-1, 0].axis("off")
    for row, position in zip(grid, chosen, strict=False):
        image = examples["images"][position]
        decided = int(decision_steps(answers[position])) if answers.shape[1] == len(pixel_order) else None
        label, called = (class_names[k] for k in (examples["labels"][position], answers[position, -1]))
        heading = f"is {label}, called {called}\n"
        show_image(row[0], image, view, framed_pixels(pixel_order, decided), heading, wrong=label != called)
        for axes, (name, values) in zip(row[1:], states.items(), strict=True):
            show_steps(axes, values[position], decided, **_colours(name, values[chosen]))
            axes.set_box_aspect(box_aspect(image))
            axes.set_title(f"\n{name}", fontsize=SMALL)
            axes.set_xlabel("unit", fontsize=SMALL)
        if view not in STEP_BELOW:
            number_steps(row[1], len(pixel_order), view)
    for column, name in zip(grid[:, 1:].T, states, strict=True):
        picture = column[0].images[0]
        ends = picture.get_clim()
        ticks = [ends[0], sum(ends) / 2, ends[1]]
        bar = figure.colorbar(picture, cax=column[-1], orientation="horizontal", ticks=ticks, format="%.1f")
        bar.set_label("shut to open" if name.endswith("gate") else "value", fontsize=SMALL)
        bar.ax.tick_params(labelsize=SMALL)
    return figure


def _one_of_each(right: NDArray[np.bool_]) -> list[int]:
    """The middle one of the right examples, and of the wrong ones."""
    kinds = (np.flatnonzero(right), np.flatnonzero(~right))
    return [int(kind[len(kind) // 2]) for kind in kinds if len(kind)]


def _colours(name: str, values: NDArray[Any]) -> dict[str, Any]:
    if name.endswith("gate"):
        return {"cmap": OPENNESS_MAP, "vmin": 0, "vmax": 1}
    most = float(np.abs(values).max())
    return {"cmap": SIGNED_MAP, "vmin": -most, "vmax": most}
