"""A contact sheet: a user's pictures as the network sees them, each with its answer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mnist_lstm.core.inference.predict import PreprocessedPicture
from mnist_lstm.core.plots.style import GREY, SMALL, VERMILLION, new_figure, show

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACROSS = 8  # pictures side by side
LONGEST = 16  # characters of a name


def contact_sheet(shown: Sequence[PreprocessedPicture], answers: pd.DataFrame, run: str) -> "Figure":
    """The images under their file's names, each over its answer.

    Args:
        shown: the first pictures, at least one.
        answers: a row for each of them, or more, as `inference.predict.predict_tables` yields them.
    """
    rows = -(-len(shown) // ACROSS)
    note = "as the network sees them; orange: in doubt"
    figure = new_figure(1.45 * rows + 1.05, f"What the network saw, and what it answered\n{run}", note)
    grid = np.ravel(figure.subplots(rows, ACROSS, squeeze=False))
    for unused in grid[len(shown) :]:
        unused.axis("off")
    for axes, each, (_, answer) in zip(grid, shown, answers.iterrows(), strict=False):
        show(axes, each.image)
        axes.set(xticks=[], yticks=[])
        axes.set_title(_printable(each.name), fontsize=SMALL - 2, color=GREY, parse_math=False)
        if each.skipped or answer["skipped"]:
            axes.set_xlabel("skipped", fontsize=SMALL, color=VERMILLION)
        else:
            sure = float(answer["probability"])
            colour = VERMILLION if answer["doubt"] else "black"
            surely = ">99%" if sure > 0.995 else f"{sure:.0%}"
            called = f"{_printable(str(answer.iloc[1]))}  {surely}"
            axes.set_xlabel(called, fontsize=SMALL, color=colour, parse_math=False)
    return figure


def _printable(name: str) -> str:
    """The end of a name, in characters that every font has."""
    plain = name.encode("ascii", "backslashreplace").decode()
    return plain if len(plain) <= LONGEST else f"…{plain[1 - LONGEST :]}"
