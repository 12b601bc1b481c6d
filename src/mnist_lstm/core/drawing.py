"""A drawing of the network, unrolled over the time steps, in Mermaid's language."""

from typing import NamedTuple

from mnist_lstm.core.checkpoint import Checkpoint
from mnist_lstm.core.sequences import step_word


class Sizes(NamedTuple):
    """What the drawing says; letters, as everywhere in this project, where no number is known yet."""

    cell: str = "LSTM"
    step: str = "time step"
    layers: int = 1
    steps: int | str = "T"
    features: int | str = "F"
    hidden: int | str = "H"
    classes: int | str = "K"


def sizes_of(checkpoint: Checkpoint) -> Sizes:
    """The sizes of a trained network."""
    model, (steps, features) = checkpoint.model, checkpoint.order().shape
    word, classes = step_word(checkpoint.sequence.view), len(checkpoint.data["class_names"])
    return Sizes(model.cell.upper(), word, model.num_layers, steps, features, model.hidden_size, classes)


def unrolled(sizes: Sizes) -> str:
    """The network at its first, second and last time step, time downwards, from input to class probabilities."""
    shown = {"1": "1", "2": "2", "last": str(sizes.steps)}
    lines = ["graph TB"]
    for name, number in shown.items():
        lines.append(f'  x{name}["{sizes.step} {number}<br/>{sizes.features} pixels"] --> layer1_{name}')
        lines += [f"  layer{layer}_{name} --> layer{layer + 1}_{name}" for layer in range(1, sizes.layers)]
    for layer in range(1, sizes.layers + 1):
        lines += [f'  layer{layer}_{name}["{_cell(sizes, layer)}"]' for name in shown]
        lines.append(f'  layer{layer}_1 -- "h, c" --> layer{layer}_2')
        lines.append(f'  layer{layer}_2 -. "h, c of each {sizes.step}" .-> layer{layer}_last')
    lines.append(f'  layer{sizes.layers}_last -- "last h" --> readout["readout<br/>{sizes.hidden} to {sizes.classes}"]')
    lines.append(f'  readout -- "softmax" --> classes(["{sizes.classes} class probabilities"])')
    return "\n".join(lines)


def _cell(sizes: Sizes, layer: int) -> str:
    name = f"{sizes.cell}, layer {layer}" if sizes.layers > 1 else sizes.cell
    return f"{name}<br/>{sizes.hidden} units"
