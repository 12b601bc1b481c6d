"""A drawing of the network, unrolled over the time steps, in Mermaid's language."""

import re
from itertools import pairwise
from typing import NamedTuple

from mnist_lstm.core.data.sequences import step_word
from mnist_lstm.core.training.checkpoint import Checkpoint

GAP = "gap"  # stands for the time steps that are not drawn
SHOWN = 3  # steps; of longer sequences the first two and the last


class Sizes(NamedTuple):
    """What the drawing says; letters, as everywhere in this project, where no number is known yet."""

    cell: str = "LSTM"
    step: str = "time step"
    layers: int = 1
    steps: int | str = "T"
    features: int | str = "F"
    hidden: int | str = "H"
    classes: int | str = "K"
    both_ways: bool = False
    pooling: str = "last"
    unit: str = "pixels"


def sizes_of(checkpoint: Checkpoint) -> Sizes:
    """The sizes of a trained network."""
    model, (steps, features) = checkpoint.model, checkpoint.pixel_order().shape
    word, classes = step_word(checkpoint.view).one, len(checkpoint.data.class_names)
    sizes = Sizes(model.cell.upper(), word, model.num_layers, steps, features, model.hidden_size, classes)
    return sizes._replace(unit=checkpoint.data.unit.many, both_ways=model.bidirectional, pooling=model.pooling)


def unrolled(sizes: Sizes) -> str:
    """The network at its first, second and last time step, time from left to right, to the class probabilities."""
    drawn = _drawn(sizes.steps)
    lines = ["graph LR", *(line for number in drawn if number != GAP for line in _step(sizes, number))]
    if GAP in drawn:
        lines += [f'  step_{GAP}["…"]', f"  style step_{GAP} fill:none,stroke:none"]
    handed, back = "h, c" if sizes.cell == "LSTM" else "h", "<" if sizes.both_ways else ""
    lines += [f'  step_{one} {back}-- "{handed}" --> step_{other}' for one, other in pairwise(drawn)]
    text = "\n".join([*lines, *_readout(sizes, drawn)])
    return re.sub('"[^"]*"', lambda label: label[0].replace(" ", "\N{NO-BREAK SPACE}"), text)  # Kedro-Viz wraps at each


def _drawn(steps: int | str) -> list[str]:
    """The numbers of the steps that are drawn, with GAP for those between the second and the last."""
    if isinstance(steps, int) and steps <= SHOWN:
        return [str(number) for number in range(1, steps + 1)]
    return ["1", "2", GAP, str(steps)]


def _step(sizes: Sizes, number: str) -> list[str]:
    """One time step: what it reads below, the layers above them."""
    stack = [f'x_{number}["{sizes.step} {number}<br/>{sizes.features} {sizes.unit}"]']
    stack += [f'layer{layer}_{number}["{_cell(sizes, layer)}"]' for layer in range(1, sizes.layers + 1)]
    return [f'  subgraph step_{number} [" "]', "    direction BT", f"    {' --> '.join(stack)}", "  end"]


def _cell(sizes: Sizes, layer: int) -> str:
    name = f"{sizes.cell}, layer {layer}" if sizes.layers > 1 else sizes.cell
    return f"{name}<br/>{sizes.hidden} units{' each way' if sizes.both_ways else ''}"


def _readout(sizes: Sizes, drawn: list[str]) -> list[str]:
    """From the hidden states that are read out to the class probabilities."""
    numbers = [number for number in drawn if number != GAP]
    names = numbers if sizes.pooling != "last" else {numbers[0], numbers[-1]} if sizes.both_ways else numbers[-1:]
    word = {"last": "last h", "mean": "mean of h", "attention": "h by attention"}[sizes.pooling]
    units = f"2 x {sizes.hidden}" if sizes.both_ways else sizes.hidden
    return [
        f'  readout["readout<br/>{units} to {sizes.classes}"]',
        *(f'  step_{name} -- "{word}" --> readout' for name in numbers if name in names),
        f'  readout -- "softmax" --> classes(["{sizes.classes} class probabilities"])',
    ]
