"""Writes the page: one HTML file with its style, its script and a run's content, which asks for nothing else."""

import base64
import hashlib
import json
import re
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mnist_lstm.core.explain.content import VERSION, Content
from mnist_lstm.core.training.checkpoint import Checkpoint

# Each before those that import from it
MODULES = (
    "network",
    "prepare",
    "view",
    "store",
    "doubt",
    "typical",
    "pad",
    "reader",
    "inside",
    "learning",
    "trials",
    "units",
    "app",
)
KINDS = {"lstm": "an LSTM", "gru": "a GRU", "rnn": "a plain RNN"}
RUN = re.compile(r'<script id="run" type="application/json">(.*?)</script>', re.DOTALL)


def page(content: Content, other: Content | None = None) -> str:
    """The page about a run, with a second run's network for the same images if there is one."""
    given = content | {"other": other["network"] if other else None}
    code = f'\n"use strict";\n{script()}'
    about, network = content["about"], content["network"]
    written: str = _template().render(
        run=given,
        title=f"How {KINDS[network['cell']]} reads {'a digit' if about['digits'] else 'an image'}",
        gallery=gallery(content["images"], about["names"]),
        style=Markup(_source("page.css")),
        script=Markup(code),
        script_hash=base64.b64encode(hashlib.sha256(code.encode()).digest()).decode(),
    )
    return written


def gallery(images: Content, names: list[str]) -> list[tuple[int, str | None]]:
    """Up to 14 images to choose from, by position, with the name of their class: one of each class, and mistakes."""
    labels = images["labels"]
    if not labels:
        return [(n, None) for n in range(min(10, images["count"]))]
    shown = [labels.index(label) for label in range(len(names)) if label in labels]
    shown += range(images["first"], images["count"])
    return [(n, names[labels[n]]) for n in shown[:14]]


def reason_against(checkpoint: Checkpoint) -> str | None:
    """Why the page cannot show this network, None if it can."""
    named, cell = f"{checkpoint.label} on {checkpoint.data.title}", checkpoint.model.cell
    if checkpoint.data.kind == "series":
        return f"{named} reads series of numbers: explain.html shows networks that read images."
    if cell not in KINDS:
        return f"{named} has the cell {cell}: explain.html shows {', '.join(KINDS)}."
    if checkpoint.model.gates != "plain" or checkpoint.model.zoneout:
        return f"{named} has refined gates or zoneout: explain.html shows plain cells."
    return None


def page_without(reason: str) -> str:
    """A page that gives the `reason_against` it."""
    return (
        f"<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<title>Not shown</title>\n"
        f"<p>{escape(reason)} See report.html.</p>\n</html>\n"
    )


def content_of(written: str) -> Content | None:
    """The content of a page; None if it is one of another version."""
    found = RUN.search(written)
    content: Content = json.loads(found[1]) if found else {}
    return content if content.get("version") == VERSION else None


@cache
def script(modules: tuple[str, ...] = MODULES) -> str:
    """The modules as one script: they share one scope, so imports and exports go."""
    sources = (_source(f"{name}.js") for name in modules)
    return "".join(re.sub(r"^import .*?;\n|^export (?=\w)", "", source, flags=re.M | re.S) for source in sources)


def _source(name: str) -> str:
    return files("mnist_lstm.core.explain").joinpath("page", name).read_text(encoding="utf-8")


@cache
def _template() -> Any:
    loader = PackageLoader("mnist_lstm.core.explain", "page")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("index.html.j2")
