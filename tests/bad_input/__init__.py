"""The mistakes that people make and the faults that files have, as tables: what is wrong, and what one line must name.

A table's key says what is wrong. `test_every_mistake.py` makes each mistake in a copy of the project.
"""

from collections.abc import Callable
from typing import NamedTuple

import yaml

from tests.support.projects import Project

PARAMETERS, CATALOG, MLFLOW = (f"conf/base/{name}.yml" for name in ("parameters", "catalog", "mlflow"))
DIGITS = "data.name=digits,training.iterations=30"

Change = Callable[[Project], object]


def nothing(project: Project) -> None:
    """Leaves the project as it is."""


class Mistake(NamedTuple):
    """A mistake in a project.

    Attributes:
        names: what the one line must name: the file or key, what was found, what to do.
        command: the words after `kedro`.
        change: makes the mistake.
        after_a_run: whether it is made in a project in which a run finished.
        later: whether it can be known only when the run goes on: what earlier stages made may stand.
        refused_by: the function that refuses it, given the project and the command; None: only the command does.
    """

    names: tuple[str, ...]
    command: tuple[str, ...] = ("run",)
    change: Change = nothing
    after_a_run: bool = False
    later: bool = False
    refused_by: Callable[[Project, tuple[str, ...]], object] | None = None


def each(mistakes: dict[str, Mistake], refused_by: Callable[[Project, tuple[str, ...]], object]) -> dict[str, Mistake]:
    """The mistakes, each refused by that function."""
    return {what: mistake._replace(refused_by=refused_by) for what, mistake in mistakes.items()}


def write(name: str, content: str | bytes) -> Change:
    """Writes a file of the project."""

    def written(project: Project) -> None:
        path = project.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return written


def append(name: str, content: str) -> Change:
    """Appends to a file of the project."""
    return lambda project: write(name, (project.path / name).read_text() + content)(project)


def replace(name: str, old: str, new: str) -> Change:
    """Replaces part of a file of the project."""

    def replaced(project: Project) -> None:
        text = (project.path / name).read_text()
        assert old in text
        write(name, text.replace(old, new, 1))(project)

    return replaced


def damaged(name: str, change: Callable[[bytes], bytes]) -> Change:
    """Changes the content of the one file of the project that a pattern matches."""

    def done(project: Project) -> None:
        (path,) = project.path.glob(name)
        path.write_bytes(change(path.read_bytes()))

    return done


def sources(**changed: object) -> Change:
    """Gives the catalog's `image_sources` other blocks, by conf/local."""

    def given(project: Project) -> None:
        catalog = yaml.safe_load((project.path / "conf/base/catalog.yml").read_text())
        entry = catalog["image_sources"] | changed
        write("conf/local/catalog.yml", yaml.safe_dump({"image_sources": entry}, sort_keys=False))(project)

    return given
