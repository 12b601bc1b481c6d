import re

import pytest

from mnist_lstm.core.plots.network_diagram import Sizes, sizes_of, unrolled
from tests.support import tiny


def test_the_drawing_has_the_sizes_of_the_checkpoint() -> None:
    drawn = unrolled(sizes_of(tiny.checkpoint()))
    for words in (
        f"row 1<br/>{tiny.WIDTH} pixels",
        f"row {tiny.HEIGHT}<br/>{tiny.WIDTH} pixels",
        f"LSTM<br/>{tiny.HIDDEN} units",
        f"readout<br/>{tiny.HIDDEN} to {tiny.CLASSES}",
        f"{tiny.CLASSES} class probabilities",
    ):
        assert words in drawn


def test_before_any_training_letters_stand_for_the_sizes() -> None:
    drawn = unrolled(Sizes())
    assert "time step T<br/>F pixels" in drawn
    assert "readout<br/>H to K" in drawn


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_each_layer_hands_its_state_on_and_its_output_up(layers: int) -> None:
    arrows = re.findall(r"(\w+?)(?:\[.*?\])? -[-.].*?-> (\w+)", unrolled(Sizes(layers=layers)))
    for layer in range(1, layers + 1):
        assert (f"layer{layer}_1", f"layer{layer}_2") in arrows
        assert (f"layer{layer}_2", f"layer{layer}_last") in arrows
    ups = re.findall(r"layer(\d)_(\w+) --> layer(\d)_(\w+)", unrolled(Sizes(layers=layers)))
    assert len(ups) == 3 * (layers - 1)
    assert all(int(above) == int(below) + 1 and step == same for below, step, above, same in ups)
    assert f'layer{layers}_last -- "last h" --> readout' in unrolled(Sizes(layers=layers))


@pytest.mark.parametrize(("cell", "handed"), [("lstm", "h, c"), ("gru", "h"), ("rnn", "h")])
def test_each_cell_hands_on_what_it_has(cell: str, handed: str) -> None:
    drawn = unrolled(sizes_of(tiny.checkpoint(cell=cell)))
    assert f"{cell.upper()}<br/>{tiny.HIDDEN} units" in drawn
    assert f'layer1_1 -- "{handed}" --> layer1_2' in drawn


def test_a_network_that_reads_both_ways_is_drawn_with_arrows_both_ways_and_read_out_at_both_ends() -> None:
    drawn = unrolled(sizes_of(tiny.checkpoint(bidirectional=True)))
    assert 'layer1_1 <-- "h, c" --> layer1_2' in drawn
    assert 'layer1_2 <-. "h, c of each row" .-> layer1_last' in drawn
    assert re.findall(r"layer1_(\w+) -- \"last h\" --> readout", drawn) == ["1", "last"]
    assert f"readout<br/>2 x {tiny.HIDDEN} to {tiny.CLASSES}" in drawn


@pytest.mark.parametrize(("pooling", "word"), [("mean", "mean of h"), ("attention", "h by attention")])
def test_pooling_over_all_steps_draws_an_arrow_from_each(pooling: str, word: str) -> None:
    drawn = unrolled(sizes_of(tiny.checkpoint(pooling=pooling)))
    assert re.findall(rf'layer1_(\w+) -- "{word}" --> readout', drawn) == ["1", "2", "last"]
