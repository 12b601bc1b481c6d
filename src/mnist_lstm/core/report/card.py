"""The model card in Markdown: what the classifier is for, how good it is, and where it fails.

Source: Mitchell et al. 2019, doi:10.1145/3287560.3287596.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from mnist_lstm.core.metrics import BINS
from mnist_lstm.core.report import facts
from mnist_lstm.core.report.facts import Run

WORST = 3  # classes named


def model_card(run: Run) -> str:
    """The card."""
    parts = {
        f"Model card: {run.title}": f"{facts.network(run)} {facts.which(run)}",
        "Intended use": _intended(run),
        "Not intended for": _not_intended(run),
        "Data": _data(run),
        "Training": _training(run),
        "Measured performance": _performance(run),
        "Measured limits": _limits(run),
        "How to do it again": "\n\n".join(f"{meaning}:\n\n    {command}" for meaning, command in facts.commands(run)),
    }
    first, *others = parts.items()
    sections = [f"# {first[0]}\n\n{first[1]}", *(f"## {heading}\n\n{text}" for heading, text in others)]
    return "\n\n".join(sections) + "\n"


def _intended(run: Run) -> str:
    return (
        "Learning and teaching how a recurrent network reads an image step by step, and as a baseline to compare "
        f"others with on {run.data['title']}. It takes grey images of {run.data['height']} x {run.data['width']} "
        "pixels, 0 for paper and 255 for ink, centred as the data are, and gives a probability for each class."
    )


def _not_intended(run: Run) -> str:
    return (
        "- Decisions about people, money or mail: it was tested on one public data set only.\n"
        f"- Images of another kind than {run.data['title']}: other sizes, colours, cameras or hands; several things "
        "in one image; or none: it always names one of its classes, and often surely.\n"
        "- Parts of images: it was trained to answer when the whole has been read.\n"
        "- Input that somebody may have altered to mislead it: that was not tested."
    )


def _data(run: Run) -> str:
    card = run.data
    rows = [(split, f"{count:,}", f"`{card['sha256'][split]}`") for split, count in card["images"].items()]
    stood_in = "" if card["requested"] == card["name"] else f" It stood in for {card['requested']}, on no mirror then."
    return f"{card['title']}.{stood_in}\n\n" + table(["part", "images", "SHA-256 of images and labels"], rows)


def _training(run: Run) -> str:
    rows = [(f"`{key}`", f"`{value}`") for key, value in facts.parameters(run).items()]
    about = [
        table([heading, ""], [(name, f"`{value}`") for name, value in facts_of])
        for heading, facts_of in facts.origin(run).items()
    ]
    return "\n\n".join([table(["parameter", "value"], rows), *about])


def _performance(run: Run) -> str:
    sure = f"{run.metrics['confidence']:.0%} interval"
    return f"On {run.metrics['data']}:\n\n" + table(["measure", "value", sure, "what it is"], facts.measures(run))


def _limits(run: Run) -> str:
    sure = f"{run.metrics['confidence']:.0%} interval"
    headings = ["class", "images", "recall", sure, "precision", "F1", "most often taken for"]
    return (
        f"The {WORST} classes that are recognised worst:\n\n"
        + table(headings, facts.worst_classes(run, WORST))
        + f"\n\nThe probabilities are off by {run.metrics['test/ece']:.2%} on average (expected calibration error, "
        f"{BINS} bins; Guo et al. 2017, https://proceedings.mlr.press/v70/guo17a.html).\n\n"
        + facts.on_the_way(run)
        + "\n\nOne seed and one test set: another seed may differ by more than the interval says."
    )


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table; a bar in a cell is written so that it does not end the cell."""
    rule = "|" + "---|" * len(headings)  # without spaces, or Kedro-Viz does not know it for a table
    return "\n".join([_row(headings), rule, *map(_row, rows)])


def _row(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(str(cell).replace("|", r"\|") for cell in cells) + " |"
