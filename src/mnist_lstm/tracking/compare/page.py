"""The comparison as one page that works offline and needs no script: what differs, curves, figures, images."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.data.splits import ImageSplit
from mnist_lstm.core.evaluation.examples import disagreements
from mnist_lstm.core.evaluation.metrics import confusion_matrix, log_probabilities
from mnist_lstm.core.plots.compared_curves import COLOURS, compared_curves
from mnist_lstm.core.plots.confusion import confusion_difference_figure
from mnist_lstm.core.plots.style import drawable
from mnist_lstm.core.report.pictures import of_figure, of_image, with_fewer_colours
from mnist_lstm.core.report.rendering import render
from mnist_lstm.tracking.compare.comparison import Comparison
from mnist_lstm.tracking.compare.groups import Group
from mnist_lstm.tracking.compare.table import title
from mnist_lstm.tracking.compare.verdicts import same_images

MOST_IMAGES = 40
MOST_BYTES = 1_900_000  # of the runs' figures; a page of ten runs has at most 3 MB, and base64 takes a third more
DRAWN_ANEW = ("learning_curves.png", "confusion_matrix.png")  # figures of a run that the page shows in another form


def page(found: Comparison) -> str:
    """The page."""
    groups, images = found.groups, found.images
    by_key = {_key(position): group for position, group in enumerate(groups)}
    tested = [(key, group) for key, group in by_key.items() if _as_first(groups[0], group)]
    shown = _disagreements(tested, images) if images is not None and len(tested) > 1 else []
    return render(
        "compare.html.j2",
        title=title(groups),
        lines=found.sentences,
        groups=[
            {"key": key, "colour": COLOURS[position % len(COLOURS)], "head": group.head, "runs": len(group.runs)}
            for position, (key, group) in enumerate(by_key.items())
        ],
        tables=[[(name, *cells) for name, cells in rows.items()] for rows in (found.differing, found.measured)],
        curves=of_figure(compared_curves({key: [run.curves for run in group.runs] for key, group in by_key.items()})),
        figures=list(_side_by_side(by_key)),
        confusions=[of_figure(figure) for figure in _confusions(tested)],
        images=shown,
        missing=images is None and len(tested) > 1,
    )


def _key(position: int) -> str:
    """A letter for each group: "A" to "Z", then "A2" and so on."""
    times, letter = divmod(position, 26)
    return chr(ord("A") + letter) + (str(times + 1) if times else "")


def _as_first(first: Group, group: Group) -> bool:
    return first.tested and group.tested and same_images(first, group, "test")


def _side_by_side(groups: Mapping[str, Group]) -> Iterator[tuple[str, list[tuple[str, str, bytes]]]]:
    """A heading for each figure that runs recorded, and (key, name of the run, picture) of each group's first run.

    A figure that would make the page too large has no pictures.
    """
    first = {key: group.runs[0] for key, group in groups.items()}
    left = MOST_BYTES
    for name in sorted({name for run in first.values() for name in run.figures} - {*DRAWN_ANEW}):
        recorded = [(key, run) for key, run in first.items() if name in run.figures]
        pictures = [(key, run.head, with_fewer_colours(run.figures[name])) for key, run in recorded]
        size = sum(len(picture) for *_, picture in pictures)
        fits = size <= left
        left -= size * fits
        yield Path(name).stem.replace("_", " ").capitalize(), pictures if fits else []


def _confusions(tested: Sequence[tuple[str, Group]]) -> Iterator[Any]:
    """A figure for each group but the first: its confusion matrix, less that of the first."""
    for key, group in tested[1:]:
        first_key, first = tested[0]
        about = f"Confusion matrix of {key} less that of {first_key}\n{key}: {group.head}\n{first_key}: {first.head}"
        yield confusion_difference_figure(_confusion(group) - _confusion(first), drawable(_names(group)), about)


def _confusion(group: Group) -> NDArray[Any]:
    """The mean over the seeds."""
    each = [run.predictions for run in group.runs if run.predictions]
    return np.mean([confusion_matrix(one.logits.argmax(1), one.labels, one.logits.shape[1]) for one in each], axis=0)  # type: ignore[no-any-return]


def _names(group: Group) -> list[str]:
    """Of the classes; the labels for a run whose record lacks them."""
    known: list[str] = group.runs[0].provenance.get("data", {}).get("class_names", [])
    return known or [str(label) for label in range(group.runs[0].predictions.logits.shape[1])]  # type: ignore[union-attr]


def _disagreements(tested: Sequence[tuple[str, Group]], images: ImageSplit) -> list[dict[str, Any]]:
    """The images on which the groups disagree most, and what each answers by the mean probabilities of its seeds."""
    each = [[np.exp(log_probabilities(run.predictions.logits)) for run in group.runs] for _, group in tested]  # type: ignore[union-attr]
    probabilities = np.stack([np.mean(of_seeds, axis=0) for of_seeds in each])
    names = _names(tested[0][1])
    return [
        {
            "picture": of_image(images.images[position]),
            "label": names[images.labels[position]],
            "position": int(position),
            "answers": [
                (key, names[answer.argmax()], f"{answer.max():.0%}", answer.argmax() == images.labels[position])
                for (key, _), answer in zip(tested, probabilities[:, position], strict=True)
            ],
        }
        for position in disagreements(probabilities, images.labels, MOST_IMAGES)
    ]
