"""README and docs name only commands, options, parameters, files and links that exist."""

import os
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from mnist_lstm.cli import cli
from mnist_lstm.parameters import Parameters, checked
from mnist_lstm.pipeline_registry import register_pipelines
from mnist_lstm.sections import flat_fields, flattened

PROJECT = Path(__file__).parents[1]
PACKAGE = PROJECT / "src" / "mnist_lstm"
PAGES = sorted(
    path.relative_to(PROJECT).as_posix()
    for path in [*PROJECT.glob("docs/*.md"), *(PROJECT / name for name in ("README.md", "CONTRIBUTING.md"))]
)
LINKED = [*PAGES, "CHANGELOG.md"]
MOST_LINES, MOST_BYTES = 150, 200_000  # of the README, and of a picture
MAKEFILE = (PROJECT / "Makefile").read_text()
EXTRAS = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
BASE = yaml.safe_load((PROJECT / "conf/base/parameters.yml").read_text())
TRACKING = yaml.safe_load((PROJECT / "conf/base/mlflow.yml").read_text())["tracking"]
KEYS = {*flat_fields(Parameters), *flattened({"tracking": TRACKING})}
BLOCKS = {key.rpartition(".")[0] for key in KEYS} | {"training.updates"}  # the last is a tag of MLflow's
MADE = ("data/", "build/", "mlartifacts/")  # by a run
ELSEWHERE = {
    ".",
    ".venv/bin/pip",
    "cd",
    "curl",
    "export",
    "git",
    "mlflow",
    "mypy",
    "pip-audit",
    "pre-commit",
    "python3",
    "ray",
    "ruff",
}
OF_KEDRO = {("--help",), ("registry", "list"), ("viz", "run")}


class Command(NamedTuple):
    """A command as a page writes it."""

    page: str
    words: tuple[str, ...]


def tokens(page: str) -> list[Token]:
    found = MarkdownIt("commonmark").enable("table").parse((PROJECT / page).read_text())
    return [*found, *(child for token in found for child in token.children or ())]


def inline_code(page: str) -> list[str]:
    return [token.content for token in tokens(page) if token.type == "code_inline"]


def fences(page: str, language: str) -> list[str]:
    return [token.content for token in tokens(page) if token.type == "fence" and token.info == language]


def commands(page: str) -> Iterator[Command]:
    lines = [line for block in fences(page, "sh") for line in block.replace("\\\n", " ").splitlines()]
    known = re.compile(r"([A-Z_]+=\S+ )*(kedro|make|python|pytest|pip|ruff) ")
    for line in [*lines, *(code for code in inline_code(page) if known.match(code))]:
        words: list[str] = []
        for word in [*shlex.split(line, comments=True), "|"]:
            if word not in ("|", "&&"):
                words += [] if not words and re.fullmatch(r"[A-Z_]+=\S*", word) else [word]
            elif words:
                yield Command(page, tuple(words))
                words = []


COMMANDS = sorted({command for page in PAGES for command in commands(page)})


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.words))
def test_a_command_can_be_called_so(command: Command) -> None:
    name, *rest = command.words
    check = {
        "kedro": expect_kedro,
        "make": expect_make,
        "python": expect_python,
        "pytest": expect_files,
        "pip": expect_pip,
    }
    assert name in check or name in ELSEWHERE
    if name in check:
        check[name](rest, command.page)


def expect_kedro(words: list[str], page: str) -> None:
    if tuple(words) in OF_KEDRO:
        return
    name, *rest = words
    if not rest:  # named in a sentence
        assert name in cli.commands
        return
    context = cli.commands[name].make_context(name, list(rest))
    options = context.params
    expect_preset(options.get("env"), page)
    expect_parameters(options.get("params") or {}, options.get("env"))
    if name == "sweep":
        for asked in [*options["grid"], *options["search"]]:
            assert asked.partition("=")[0] in {*KEYS, "KEY"}
    if name == "run":
        pipelines = register_pipelines()
        assert set(options["pipelines"] or ()) <= set(pipelines)
        assert set(options["from_nodes"]) <= {node.name for node in pipelines["__default__"].nodes}


def expect_preset(name: str | None, page: str) -> None:
    if name and name != "NAME":
        made = f"# kedro run --env {name}" in (PROJECT / page).read_text()
        assert made or (PROJECT / "conf" / name / "parameters.yml").is_file()


def expect_parameters(values: dict[str, object], preset: str | None) -> None:
    """The values are accepted with those of the preset."""
    values = flattened(values)
    assert set(values) <= KEYS | {"KEY"}
    path = PROJECT / "conf" / (preset or "base") / "parameters.yml"
    merged = flattened(BASE) | flattened(yaml.safe_load(path.read_text()) if path.is_file() else {}) | values
    nested: dict[str, object] = {}
    for key, value in merged.items():
        *blocks, last = key.split(".")
        if blocks[:1] not in (["tracking"], []):
            block = nested
            for each in blocks:
                block = block.setdefault(each, {})  # type: ignore[assignment]
            block[last] = value
    checked(nested)


def expect_make(words: list[str], page: str) -> None:
    target, *rest = words
    assert re.search(rf"^{target}:.*## ", MAKEFILE, re.MULTILINE)
    arguments = [shlex.split(word.removeprefix("ARGS=")) for word in rest if word.startswith("ARGS=")]
    assert len(arguments) == len(rest)
    for each in arguments:
        if target == "run":
            expect_kedro(["run", *each], page)
        elif target == "benchmark":
            expect_options(each, PROJECT / "benchmarks/frameworks.py")
        else:
            expect_files(each, page)


def expect_python(words: list[str], _: str) -> None:
    if words[0] == "-m":
        words = [f"{words[1].replace('.', '/')}.py", *words[2:]]
    assert words[0] == "-c" or (PROJECT / words[0]).is_file()
    if words[0] != "-c":
        expect_options(words[1:], PROJECT / words[0])


def expect_options(words: list[str], script: Path) -> None:
    """Its source names each option."""
    for word in words:
        if word.startswith("--"):
            assert re.search(rf'"(--)?{word.removeprefix("--")}"', script.read_text())


def expect_files(words: list[str], _: str) -> None:
    for word in words:
        assert "/" not in word or (PROJECT / word).exists()


def expect_pip(words: list[str], _: str) -> None:
    for extras in re.findall(r"\.\[(.+)\]", " ".join(words)):
        assert set(extras.split(",")) <= set(EXTRAS)
    assert "-c" not in words or (PROJECT / words[words.index("-c") + 1]).is_file()


@pytest.mark.parametrize("page", PAGES)
def test_a_parameter_that_a_page_names_exists(page: str) -> None:
    block = "|".join({key.partition(".")[0] for key in KEYS})
    named = {re.split("[=:]", code)[0] for code in inline_code(page) if re.match(rf"({block})\.\w", code)}
    assert not {name for name in named if not name.endswith((".yml", ".py"))} - KEYS - BLOCKS


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


def test_every_page_is_linked_from_the_readme() -> None:
    links = {token.attrs.get("href") for token in tokens("README.md")}
    assert set(LINKED) - {"README.md"} <= links


def test_every_picture_is_shown_and_small() -> None:
    shown = {Path(str(token.attrs["src"])).name for page in PAGES for token in tokens(page) if token.type == "image"}
    pictures = list((PROJECT / "docs/images").iterdir())
    assert {picture.name for picture in pictures} == shown
    assert all(0 < picture.stat().st_size < MOST_BYTES for picture in pictures)


@pytest.mark.parametrize("folder", [".", "core", "pipelines"])
def test_the_architecture_names_every_module_and_package(folder: str) -> None:
    text = (PROJECT / "docs/architecture.md").read_text()
    there = {
        path.name for path in (PACKAGE / folder).iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert not {name for name in there if not name.startswith("__") and not re.search(rf"\b{name}\b", text)}


def test_the_readme_is_short() -> None:
    assert len((PROJECT / "README.md").read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("page", set(PAGES) - {"README.md"})
def test_a_page_opens_with_what_it_is_for(page: str) -> None:
    assert re.match(r"# .+\n\nThis page ", (PROJECT / page).read_text())


@pytest.mark.parametrize("page", PAGES)
def test_yaml_in_a_page_can_be_read(page: str) -> None:
    for block in fences(page, "yaml"):
        assert isinstance(yaml.safe_load(block), dict)
