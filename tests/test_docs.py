"""README and docs name only files, links and code that exist, and are as long as they should be."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from mnist_lstm.core.model.stepwise import StepwiseCell
from tests.support.pages import PAGES, PROJECT, fences, inline_code, tokens

PACKAGE = PROJECT / "src" / "mnist_lstm"
LINKED = [*PAGES, "CHANGELOG.md"]
MOST_LINES, MOST_BYTES = 150, 200_000  # of the README, and of a picture
MADE = ("data/", "build/", "mlartifacts/")  # by a run


@pytest.mark.parametrize("page", PAGES)
def test_a_file_that_a_page_names_exists(page: str) -> None:
    named = {code for code in inline_code(page) if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/([\w.-]+\.\w+)?", code)}
    missing = {name for name in named if not ((PROJECT / name).exists() or (PACKAGE / name).exists())}
    assert not {name for name in missing if not name.startswith(MADE) and "leaves" not in name and "NAME" not in name}


@pytest.mark.parametrize("page", PAGES)
def test_a_name_stands_in_the_file_that_a_page_says(page: str) -> None:
    for name, path in re.findall(r"`(\w+)` (?:in|\() ?`([\w/]+\.py)`", (PROJECT / page).read_text()):
        text = ((PACKAGE if (PACKAGE / path).exists() else PROJECT) / path).read_text()
        assert re.search(rf"^(def {name}\(|class {name}\b|{name}\b.* = )", text, re.MULTILINE), f"{name} in {path}"


def lines(code: str) -> set[str]:
    """Without indentation and comments."""
    return {re.split(r"\s+#", line)[0].strip() for line in code.splitlines()}


def test_the_code_of_the_tutorial_is_that_of_the_project() -> None:
    shown = set().union(*map(lines, fences("docs/tutorial.md", "python")))
    assert shown
    assert not shown - set().union(*(lines(path.read_text()) for path in PACKAGE.rglob("*.py")))


def test_the_cell_of_extending_trains() -> None:
    found: dict[str, Any] = {}
    exec("\n".join(fences("docs/extending.md", "python")), found)  # noqa: S102 - the page is of this repository
    layers = StepwiseCell(found["minimal"], 2, 3, 4, 2, batch_first=True, bidirectional=True)
    for weight in layers.parameters():
        torch.nn.init.uniform_(weight, -1, 1)
    outputs, last = layers(torch.rand(5, 6, 3))
    assert (outputs.shape, last.shape) == ((5, 6, 8), (4, 5, 4))
    outputs.sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in layers.parameters())


def anchors(page: str) -> set[str]:
    """As GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", (PROJECT / page).read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", LINKED)
def test_a_link_leads_somewhere(page: str) -> None:
    links = [str(token.attrs.get("href") or token.attrs.get("src") or "") for token in tokens(page)]
    for link in filter(None, links):
        if not re.match(r"https?://", link):
            path, _, anchor = link.partition("#")
            target = os.path.relpath((PROJECT / page).parent / path, PROJECT) if path else page
            assert (PROJECT / target).exists(), link
            assert not anchor or anchor in anchors(target), link


def test_every_picture_is_shown_and_small() -> None:
    shown = {Path(str(token.attrs["src"])).name for page in PAGES for token in tokens(page) if token.type == "image"}
    pictures = list((PROJECT / "docs/images").iterdir())
    assert {picture.name for picture in pictures} == shown
    assert all(0 < picture.stat().st_size < MOST_BYTES for picture in pictures)


@pytest.mark.parametrize("folder", [".", "core", "pipelines"])
def test_the_architecture_names_every_module_and_package(folder: str) -> None:
    text = (PROJECT / "docs/architecture.md").read_text()
    names = [
        path.name for path in (PACKAGE / folder).iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    ]
    assert not {name for name in names if not name.startswith("__") and not re.search(rf"\b{name}\b", text)}


def test_the_readme_is_short_and_links_every_page() -> None:
    assert len((PROJECT / "README.md").read_text().splitlines()) <= MOST_LINES
    links = {token.attrs.get("href") for token in tokens("README.md")}
    assert set(LINKED) - {"README.md"} <= links


@pytest.mark.parametrize("page", [page for page in PAGES if page != "README.md"])
def test_a_page_opens_with_what_it_is_for(page: str) -> None:
    assert re.match(r"# .+\n\nThis page ", (PROJECT / page).read_text())


@pytest.mark.parametrize("page", PAGES)
def test_yaml_in_a_page_can_be_read(page: str) -> None:
    for block in fences(page, "yaml"):
        assert isinstance(yaml.safe_load(block), dict)
