"""The report of one run as an HTML page that opens offline, on a phone and on paper."""

from collections.abc import Mapping

from mnist_lstm.core.report import facts, origin
from mnist_lstm.core.report.captions import caption
from mnist_lstm.core.report.facts import Run
from mnist_lstm.core.report.html import Html, document, element, figure, joined, section, table


def page(run: Run, figures: Mapping[str, bytes]) -> str:
    """The report.

    Args:
        run: what is reported.
        figures: PNG files by their names in the catalog, in the order in which they are shown.
    """
    return document(
        run.title, _head(run), _results(run), _figures(run, figures), _what_was_run(run), _data(run), _again(run)
    )


def _head(run: Run) -> Html:
    found = run.metrics
    interval = facts.interval(found["test/correct"], found["test/images"], found["confidence"])
    lead = f"{found['test/accuracy']:.2%} of {found['test/images']:,} test images right ({facts.sure(run)} {interval})."
    parts = [element("h1", run.title), element("p", lead, class_="lead")]
    parts += [element("p", sentence) for sentence in (facts.network(run), facts.which(run))]
    if stood_in := facts.stood_in(run):
        parts.append(element("p", stood_in, class_="notice"))
    return element("header", joined(parts))


def _results(run: Run) -> Html:
    return section(
        "Results",
        table(["measure", "value", facts.sure(run), "what it is"], facts.measures(run)),
        element("h3", "By class"),
        table(
            ["class", "images", "recall", facts.sure(run), "precision", "F1", "most often taken for"],
            facts.classes(run),
        ),
        element(
            "p",
            "Intervals are Wilson's (1927): how far chance in the choice of the test images may reach.",
        ),
    )


def _figures(run: Run, figures: Mapping[str, bytes]) -> Html:
    shown = []
    for name, png in figures.items():
        heading, sentence = caption(name, run.checkpoint)
        shown += [element("h3", heading), figure(png, f"{heading}: {run.title}", sentence)]
    return section("What the network sees", *shown)


def _what_was_run(run: Run) -> Html:
    rows = [(key, element("code", value)) for key, value in origin.parameters(run).items()]
    return section("What was run", table(["parameter", "value"], rows))


def _data(run: Run) -> Html:
    card = run.data
    splits = [(split, f"{count:,}", element("code", card["sha256"][split])) for split, count in card["images"].items()]
    files = [(name, element("code", digest)) for name, digest in card["files"].items()]
    parts = [element("p", facts.images(run)), table(["part", "images", "SHA-256"], splits)]
    if files:
        parts.append(table(["file", "SHA-256"], files))
    return section("Data", *parts)


def _again(run: Run) -> Html:
    commands = [
        part
        for meaning, command in origin.commands(run)
        for part in (element("p", f"{meaning}:"), element("pre", command))
    ]
    tables = [
        table([heading, "which"], [(name, element("code", value)) for name, value in rows])
        for heading, rows in origin.made_with(run).items()
    ]
    return section("How to do it again", *commands, *tables)
