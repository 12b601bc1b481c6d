"""README and docs name only commands, presets, parameters and files that exist, and options that Kedro takes."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml

from mnist_lstm.cli import cli
from mnist_lstm.parameters import Parameters, checked
from mnist_lstm.pipeline_registry import register_pipelines
from mnist_lstm.sections import flat_fields, flattened
from tests.support.pages import PAGES, PROJECT, Command, commands, fences, inline_code
from tests.support.projects import copied

MAKEFILE = (PROJECT / "Makefile").read_text()
BASE = yaml.safe_load((PROJECT / "conf/base/parameters.yml").read_text())
TRACKING = yaml.safe_load((PROJECT / "conf/base/mlflow.yml").read_text())["tracking"]
KEYS = {"of", *flat_fields(Parameters), *flattened({"tracking": TRACKING})}
BLOCKS = {key.rpartition(".")[0] for key in KEYS} | {"training.updates"}  # the last is a tag of MLflow's
AIRFLOW = ("airflow", "create", "--env", "airflow", "--group-by", "namespace", "--target-dir", "airflow/dags")
STARTER = ("new", "--starter=git+https://HOST/OWNER/mnist_lstm.git", "--directory=starter")
OF_KEDRO = {
    *(AIRFLOW, STARTER, ("--help",), ("ipython",), ("jupyter", "lab"), ("package",)),
    *(("registry", "list"), ("viz", "run")),
}
COMMANDS = sorted({command for page in PAGES for command in commands(page)})


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.words))
def test_a_command_can_be_called_so(command: Command) -> None:
    name, *rest = command.words
    if name == "kedro":
        expect_kedro(rest, command.page)
    if name == "make":
        target, *arguments = rest
        assert re.search(rf"^{target}:.*## ", MAKEFILE, re.MULTILINE)
        for word in arguments if target == "run" else ():
            expect_kedro(["run", *shlex.split(word.removeprefix("ARGS="))], command.page)
    for word in rest:
        assert not word.startswith(("tests/", "benchmarks/")) or (PROJECT / word).exists()


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
        for given in [*options["grid"], *options["search"]]:
            assert given.partition("=")[0] in {*KEYS, "KEY", "arm"}
    if name == "run":
        pipelines = register_pipelines()
        assert set(options["pipelines"] or ()) <= set(pipelines)
        assert set(options["from_nodes"]) <= {node.short_name for node in pipelines["__default__"].nodes}


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


def test_a_mistake_is_reported_as_the_page_shows(tmp_path: Path) -> None:
    (shown,) = [block for block in fences("docs/commands.md", "") if block.startswith("$ kedro run ")]
    command, answer = shown.splitlines()
    done = copied(tmp_path).invoke(*command.split()[3:])
    assert done.exit_code == 1
    assert done.output.splitlines()[-1].startswith(answer.rstrip("… "))


def test_the_image_that_a_page_sends_to_the_server_has_the_size_of_mnist() -> None:
    (line,) = [block for block in fences("docs/using-the-model.md", "sh") if block.startswith("python3 -c")]
    done = subprocess.run(line.partition("|")[0], shell=True, capture_output=True, check=True)  # noqa: S602
    assert np.array(json.loads(done.stdout)["inputs"]).shape == (1, 28, 28)
    (script,) = (block for block in fences("docs/using-the-model.md", "python") if "invocations" in block)
    compile(script, "using-the-model.md", "exec")


@pytest.mark.parametrize("page", PAGES)
def test_a_parameter_that_a_page_names_exists(page: str) -> None:
    block = "|".join({key.partition(".")[0] for key in KEYS})
    named = {re.split("[=:]", code)[0] for code in inline_code(page) if re.match(rf"({block})\.\w", code)}
    assert not {name for name in named if not name.endswith((".yml", ".py"))} - KEYS - BLOCKS
