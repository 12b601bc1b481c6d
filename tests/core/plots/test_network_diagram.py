import itertools
import re

import pytest

from mnist_lstm.core.plots import network_diagram
from mnist_lstm.core.plots.network_diagram import Sizes, sizes_of
from tests.support import tiny


def unrolled(sizes: Sizes) -> str:
    """The drawing, with plain spaces."""
    return network_diagram.unrolled(sizes).replace("\N{NO-BREAK SPACE}", " ")


def test_the_drawing_has_the_sizes_of_the_checkpoint() -> None:
    drawn = unrolled(sizes_of(tiny.checkpoint()))
    letters = unrolled(Sizes())  # stand there before any training
    assert "time step T<br/>F pixels" in letters
    assert "readout<br/>H to K" in letters
    for words in (
        f"row 1<br/>{tiny.WIDTH} pixels",
        f"row {tiny.HEIGHT}<br/>{tiny.WIDTH} pixels",
        f"LSTM<br/>{tiny.HIDDEN} units",
        f"readout<br/>{tiny.HIDDEN} to {tiny.CLASSES}",
        f"{tiny.CLASSES} class probabilities",
    ):
        assert words in drawn


@pytest.mark.parametrize(
    ("steps", "drawn"), [("T", ["1", "2", "gap", "T"]), (28, ["1", "2", "gap", "28"]), (3, ["1", "2", "3"]), (1, ["1"])]
)
def test_the_first_two_steps_and_the_last_stand_from_left_to_right(steps: int | str, drawn: list[str]) -> None:
    text = unrolled(Sizes(steps=steps))
    assert text.startswith("graph LR")
    assert re.findall(r'step_(\w+) -- "h, c" --> step_(\w+)', text) == list(itertools.pairwise(drawn))
    assert re.findall(r"subgraph step_(\w+)", text) == [number for number in drawn if number != "gap"]
    assert ("…" in text) is ("gap" in drawn)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_each_layer_stands_on_the_one_below_it(layers: int) -> None:
    stacks = re.findall(r"^    (x_.* --> .*)$", unrolled(Sizes(layers=layers)), re.MULTILINE)
    assert [re.findall(r"(\w+)\[", stack) for stack in stacks] == [
        [f"x_{step}", *(f"layer{layer}_{step}" for layer in range(1, layers + 1))] for step in ("1", "2", "T")
    ]
    assert 'step_T -- "last h" --> readout' in unrolled(Sizes(layers=layers))


@pytest.mark.parametrize(("cell", "handed"), [("lstm", "h, c"), ("gru", "h"), ("rnn", "h")])
def test_each_cell_hands_on_what_it_has(cell: str, handed: str) -> None:
    drawn = unrolled(sizes_of(tiny.checkpoint(cell=cell)))
    assert f"{cell.upper()}<br/>{tiny.HIDDEN} units" in drawn
    assert f'step_1 -- "{handed}" --> step_2' in drawn


def test_a_network_that_reads_both_ways_is_drawn_with_arrows_both_ways_and_read_out_at_both_ends() -> None:
    drawn = unrolled(sizes_of(tiny.checkpoint(bidirectional=True)))
    assert 'step_1 <-- "h, c" --> step_2' in drawn
    assert re.findall(r"step_(\w+) -- \"last h\" --> readout", drawn) == ["1", str(tiny.HEIGHT)]
    assert f"readout<br/>2 x {tiny.HIDDEN} to {tiny.CLASSES}" in drawn


@pytest.mark.parametrize(("pooling", "word"), [("mean", "mean of h"), ("attention", "h by attention")])
def test_pooling_over_all_steps_draws_an_arrow_from_each(pooling: str, word: str) -> None:
    drawn = unrolled(sizes_of(tiny.checkpoint(pooling=pooling)))
    assert re.findall(rf'step_(\w+) -- "{word}" --> readout', drawn) == ["1", "2", str(tiny.HEIGHT)]
