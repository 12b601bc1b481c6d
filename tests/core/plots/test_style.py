import warnings

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from mnist_lstm.core.plots import style
from mnist_lstm.core.plots.style import drawable, new_figure, number_steps

ROUND = {1: [1], 4: [1, 2, 3, 4], 8: [2, 4, 6, 8], 28: [10, 20], 49: [10, 20, 30, 40], 784: [200, 400, 600]}


@pytest.mark.parametrize("steps", [*ROUND, 2, 3, 5, 6, 7, 11, 13, 26, 27, 51, 99, 101, 499, 501, 2999])
def test_steps_are_numbered_evenly_by_round_numbers_and_never_too_many(steps: int) -> None:
    axes = Figure().add_subplot()
    number_steps(axes, steps, "rows")
    ticks = axes.get_yticks().tolist()
    assert ticks == ROUND.get(steps, ticks)
    assert 1 <= len(ticks) <= 5
    assert len(set(np.diff(ticks))) <= 1


def test_what_a_user_sets_for_all_figures_does_not_count() -> None:
    with matplotlib.rc_context({"text.usetex": True, "font.family": "Nothing Sans"}):
        style._forget_users_settings.cache_clear()
        new_figure(2, "Belief")
        assert not matplotlib.rcParams["text.usetex"]
        assert matplotlib.rcParams["font.family"] == ["sans-serif"]


def test_each_line_of_a_title_is_broken_by_itself() -> None:
    title = new_figure(2, f"Belief\n{'word ' * 30}").get_suptitle()
    assert title.split("\n")[0] == "Belief"
    assert len(title.split("\n")) == 3


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("T-shirt/top", "T-shirt/top"),
        ("$\\frac$", "\\$\\frac\\$"),
        ("\u00f6", "\u00f6"),
        ("\u304a\u304b", "class 1 (U+304A U+304B)"),
    ],
)
def test_every_class_name_can_be_drawn(name: str, drawn: str) -> None:
    assert drawable(["0", name]) == ["0", drawn]
    figure = Figure()
    figure.text(0.5, 0.5, drawn)
    with warnings.catch_warnings(action="error"):  # of a missing glyph
        figure.draw_without_rendering()
