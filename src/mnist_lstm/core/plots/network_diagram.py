"""A drawing of the network, unrolled over the time steps, in Mermaid's language."""

from typing import NamedTuple

from mnist_lstm.core.data.sequences import step_word
from mnist_lstm.core.training.checkpoint import Checkpoint

SHOWN = ("1", "2", "last")  # the time steps


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
    """The network at its first, second and last time step, time downwards, from input to class probabilities."""
    lines = ["graph TB"]
    for name, number in zip(SHOWN, ("1", "2", sizes.steps), strict=True):
        lines.append(f'  x{name}["{sizes.step} {number}<br/>{sizes.features} {sizes.unit}"] --> layer1_{name}')
        lines += [f"  layer{layer}_{name} --> layer{layer + 1}_{name}" for layer in range(1, sizes.layers)]
    handed, back = "h, c" if sizes.cell == "LSTM" else "h", "<" if sizes.both_ways else ""
    for layer in range(1, sizes.layers + 1):
        lines += [f'  layer{layer}_{name}["{_cell(sizes, layer)}"]' for name in SHOWN]
        lines.append(f'  layer{layer}_1 {back}-- "{handed}" --> layer{layer}_2')
        lines.append(f'  layer{layer}_2 {back}-. "{handed} of each {sizes.step}" .-> layer{layer}_last')
    return "\n".join([*lines, *_readout(sizes)])


def _cell(sizes: Sizes, layer: int) -> str:
    name = f"{sizes.cell}, layer {layer}" if sizes.layers > 1 else sizes.cell
    return f"{name}<br/>{sizes.hidden} units{' each way' if sizes.both_ways else ''}"


def _readout(sizes: Sizes) -> list[str]:
    """From the hidden states that are read out to the class probabilities."""
    names = SHOWN if sizes.pooling != "last" else ("1", "last") if sizes.both_ways else ("last",)
    word = {"last": "last h", "mean": "mean of h", "attention": "h by attention"}[sizes.pooling]
    units = f"2 x {sizes.hidden}" if sizes.both_ways else sizes.hidden
    top = f"layer{sizes.layers}"
    return [
        f'  readout["readout<br/>{units} to {sizes.classes}"]',
        *(f'  {top}_{name} -- "{word}" --> readout' for name in names),
        f'  readout -- "softmax" --> classes(["{sizes.classes} class probabilities"])',
    ]
