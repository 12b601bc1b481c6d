"""The model card in Markdown: what the classifier is for, how good it is, and where it fails.

Source: Mitchell et al. 2019, doi:10.1145/3287560.3287596.
"""

from mnist_lstm.core.evaluation.metrics import BINS
from mnist_lstm.core.report import facts, origin
from mnist_lstm.core.report.facts import Run
from mnist_lstm.core.report.markdown import block, code, table, text

WORST = 3  # classes named


def model_card(run: Run) -> str:
    """The card."""
    parts = {
        f"Model card: {run.title}": text(f"{facts.network(run)} {facts.which(run)}"),
        "Intended use": _intended(run),
        "Not intended for": _not_intended(run),
        "Data": _data(run),
        "Training": _training(run),
        "Measured performance": _performance(run),
        "Measured limits": _limits(run),
        "How to do it again": _again(run),
    }
    first, *others = parts.items()
    sections = [f"# {text(first[0])}\n\n{first[1]}", *(f"## {heading}\n\n{part}" for heading, part in others)]
    return "\n\n".join(sections) + "\n"


def _intended(run: Run) -> str:
    return (
        "Learning and teaching how a recurrent network reads an image step by step, and as a baseline to compare "
        f"others with on {text(run.data['title'])}. It takes grey images of {run.data['height']} x "
        f"{run.data['width']} pixels, 0 for paper and 255 for ink, placed as in those data, and gives a probability "
        "for each class."
    )


def _not_intended(run: Run) -> str:
    return (
        "- Decisions about people, money or mail: it was tested on one data set only.\n"
        f"- Images of another kind than {text(run.data['title'])}: other sizes, colours, cameras or hands; several "
        "things in one image; or none: it always names one of its classes, however unlike them an image is.\n"
        "- Parts of images: it was trained to answer once the whole image is read.\n"
        "- Input that somebody may have altered to mislead it: that was not tested."
    )


def _data(run: Run) -> str:
    card = run.data
    rows = [(split, f"{count:,}", code(card["sha256"][split])) for split, count in card["images"].items()]
    said = text(" ".join([facts.images(run), facts.stood_in(run)]))
    return f"{said}\n\n{table(['part', 'images', 'SHA-256 of images and labels'], rows)}"


def _training(run: Run) -> str:
    rows = [(code(key), code(value)) for key, value in origin.parameters(run).items()]
    about = [
        table([heading, "which"], [(name, code(value)) for name, value in rows])
        for heading, rows in origin.made_with(run).items()
    ]
    return "\n\n".join([table(["parameter", "value"], rows), *about])


def _performance(run: Run) -> str:
    measured = table(["measure", "value", facts.sure(run), "what it is"], facts.measures(run))
    return f"On {text(run.metrics['data'])}:\n\n{measured}"


def _limits(run: Run) -> str:
    headings = ["class", "images", "recall", facts.sure(run), "precision", "F1", "most often taken for"]
    worst = facts.worst_classes(run, WORST)
    return (
        f"The {'class that is' if len(worst) == 1 else f'{len(worst)} classes that are'} recognised worst:\n\n"
        f"{table(headings, worst)}\n\n"
        f"The probabilities are off by {100 * run.metrics['test/ece']:.2f} percentage points on average (expected "
        f"calibration error, {BINS} bins; Guo et al. 2017, https://proceedings.mlr.press/v70/guo17a.html).\n\n"
        f"{facts.on_the_way(run)}\n\n"
        "This is one seed and one test set: another seed may differ by more than the interval says."
    )


def _again(run: Run) -> str:
    return "\n\n".join(f"{text(meaning)}:\n\n{block(command)}" for meaning, command in origin.commands(run))
