import re

import pytest

from mnist_lstm.core.drawing import Sizes, sizes_of, unrolled
from tests import tiny


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
    assert (f"layer{layers}_last", "readout") in arrows
