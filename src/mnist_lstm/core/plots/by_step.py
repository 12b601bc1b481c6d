"""Belief by step: the class probabilities as the image is read, and how good the answers are on the way."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.data.sequences import step_word
from mnist_lstm.core.evaluation.by_step import decision_steps
from mnist_lstm.core.evaluation.metrics import percent
from mnist_lstm.core.plots.lines import Line, Panel, interactive, printed
from mnist_lstm.core.plots.style import (
    BLUE,
    PROBABILITY_MAP,
    SMALL,
    STEP_BELOW,
    VERMILLION,
    are_long,
    box_aspect,
    class_ticks,
    framed_pixels,
    new_figure,
    number_steps,
    show_image,
    show_steps,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACROSS = 3  # examples side by side
WIDER = 1.3  # beliefs than their image, for the names of the classes
EARLY_ANSWERS = "the network was trained to answer after the last {step} only; earlier answers may be poor"
BOTH_WAYS = "a bidirectional network sees everything before it answers, so this shows the final answer only"


def beliefs_figure(examples: dict[str, NDArray[Any]], class_names: list[str], view: str, run: str) -> "Figure":
    """Each example next to its class probabilities after each step, with a frame at the step of the decision.

    A bidirectional network has one belief, at the end, and no frame.

    Args:
        examples: "images" (N, height, width), "labels" (N,), "beliefs" (N, T, K) or (N, 1, K), and "order" (T, F).
    """
    rows, step = -(-len(examples["images"]) // ACROSS), step_word(view).one
    title = f"Belief by {step}"
    note = f"framed: the {step} after which the answer stays the same; {EARLY_ANSWERS.format(step=step)}"
    if examples["beliefs"].shape[1] < len(examples["order"]):
        title, note = "Belief", BOTH_WAYS
    names_height = 0.08 * max(map(len, class_names)) if are_long(class_names) else 0
    height = (1.85 + names_height) * rows + 1.45
    figure = new_figure(height, f"{title}\n{run}", note, keep_proportions=True)
    pairs = figure.subplots(rows, 2 * ACROSS, squeeze=False, width_ratios=[1, WIDER] * ACROSS).reshape(-1, 2)
    for pair, image, label, belief in zip(
        pairs, examples["images"], examples["labels"], examples["beliefs"], strict=False
    ):
        picture = _draw_belief(pair, image, class_names[label], belief, class_names, examples["order"], view)
    for unused in pairs[len(examples["images"]) :].flat:
        unused.axis("off")
    bar = figure.colorbar(picture, ax=pairs.ravel().tolist(), location="bottom", shrink=0.5, aspect=40)
    bar.set_label("probability of the class", fontsize=SMALL)
    return figure


def _draw_belief(
    pair: Any, image: Any, label: str, belief: Any, class_names: list[str], pixel_order: NDArray[np.int64], view: str
) -> Any:
    decided = int(decision_steps(belief.argmax(axis=-1))) if len(belief) == len(pixel_order) else None
    called = class_names[belief[-1].argmax()]
    heading = f"is {label}, called {called}\n" + (f"decided at {step_word(view).one} {decided}" if decided else "")
    show_image(pair[0], image, view, framed_pixels(pixel_order, decided), heading, wrong=label != called)
    picture = show_steps(pair[1], belief, decided, cmap=PROBABILITY_MAP, vmin=0, vmax=1)
    pair[1].set_box_aspect(box_aspect(image) / WIDER)
    pair[1].set_title("\n", fontsize=SMALL)  # as high as the heading, which runs on above it
    pair[1].set_xlabel("class", fontsize=SMALL)
    class_ticks(pair[1], class_names)
    if view not in STEP_BELOW and decided:
        number_steps(pair[1], len(belief), view)
    return picture


def accuracy_by_step_figures(
    by_step: dict[str, NDArray[Any]], confidence: float, view: str, run: str
) -> tuple[dict[str, Any], "Figure"]:
    """Accuracy on all test images by steps read, and the fraction whose answer is final: interactive and printed.

    Args:
        by_step: columns step, accuracy with its interval, and decided, of `evaluation.by_step.accuracy_by_step`.
    """
    panels, step, at_the_end = [_panel(by_step, confidence, view)], step_word(view), len(by_step["step"]) == 1
    title = "Accuracy when all is read" if at_the_end else f"Accuracy by {step.many} read"
    note = BOTH_WAYS if at_the_end else EARLY_ANSWERS.format(step=step.one)
    return interactive(panels, f"{title}\n{run}"), printed(panels, f"{title}\n{run}", note)


def _panel(by_step: dict[str, NDArray[Any]], confidence: float, view: str) -> Panel:
    steps, interval = by_step["step"], (by_step["accuracy_low"], by_step["accuracy_high"])
    name = f"answer right (accuracy, with its {percent(confidence)} interval)"
    lines = [Line(name, steps, by_step["accuracy"], BLUE, strong=True, interval=interval)]
    if len(steps) > 1:  # a network that answers at every step
        lines.append(Line("answer final (no longer changes)", steps, by_step["decided"], VERMILLION))
    ranges = (0, 1.02), (0.5, steps[-1] + 0.5)
    return Panel(f"{step_word(view).many} read", "fraction of the test set", lines, *ranges)
