"""The two documents about a run: a page that opens offline, on a phone and on paper, and a model card in Markdown.

The model card follows Mitchell et al. 2019, doi:10.1145/3287560.3287596.
"""

from collections.abc import Mapping
from typing import Any

from mnist_lstm.core.evaluation.metrics import BINS
from mnist_lstm.core.report import facts, origin
from mnist_lstm.core.report.captions import COLOURED, caption
from mnist_lstm.core.report.facts import Run
from mnist_lstm.core.report.rendering import png, render

WORST = 3  # classes that the card names


def page(run: Run, figures: Mapping[str, bytes]) -> str:
    """The report as an HTML page.

    Args:
        figures: PNG files by their names in the catalog, in the order in which they are shown.
    """
    shown = [
        caption(name, run.checkpoint)._asdict() | {"source": png(data), "coloured": name in COLOURED}
        for name, data in figures.items()
    ]
    return render(
        "report.html.j2",
        **_common(run) | {"parameters": origin.marked(run)},
        lead=facts.lead(run),
        classes=facts.classes(run),
        figures=shown,
        files=list(run.data.files.items()),
    )


def model_card(run: Run) -> str:
    """The model card in Markdown: what the classifier is for, how good it is, and where it fails."""
    return render(
        "model_card.md.j2",
        **_common(run),
        data=run.data.title,
        taken=facts.taken(run),
        tested=run.metrics["data"],
        worst=facts.worst_classes(run, WORST),
        calibration_error=run.metrics["test/ece"],
        bins=BINS,
        accuracy_by_step=facts.accuracy_by_step(run),
    )


def _common(run: Run) -> dict[str, Any]:
    """What both documents say."""
    sha256 = run.data.sha256
    return {
        "title": run.title,
        "network": facts.network(run),
        "which_run": facts.which(run),
        "substitution": facts.substitution(run),
        "interval": facts.interval_name(run),
        "metrics": facts.metrics(run),
        "images": facts.images(run),
        "noun": run.data.noun,
        "decided": run.data.decided,
        "splits": [(split, f"{count:,}", sha256[split]) for split, count in run.data.images.items()],
        "parameters": list(origin.parameters(run).items()),
        "commands": origin.commands(run),
        "made_with": origin.made_with(run),
    }
