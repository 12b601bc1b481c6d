"""The functions of this project that refuse a mistake, each called by itself: milliseconds instead of a command."""

import contextlib
from collections.abc import Callable
from typing import Any

import click
from kedro.framework.cli.utils import _split_params
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog

from mnist_lstm import settings
from mnist_lstm.datasets.image_sources import ImageSourcesDataset
from mnist_lstm.parameters import Parameters, checked
from mnist_lstm.pipeline_registry import register_pipelines
from mnist_lstm.pipelines.ingest.nodes import ingest
from mnist_lstm.preflight.cli_options import expect_known
from mnist_lstm.preflight.config_files import damaged_file
from mnist_lstm.preflight.config_loader import ConfigLoader
from mnist_lstm.tracking.settings import read_settings
from tests.support.projects import Project

Check = Callable[[Project, tuple[str, ...]], object]


def parameters(project: Project, command: tuple[str, ...] = ("run",)) -> Parameters:
    """Merges and validates parameters and settings as `kedro run` does."""
    return _validated(_loader(project, command))


def images(project: Project, command: tuple[str, ...]) -> None:
    """Validates, then reads the images as the node `ingest` does."""
    loader = _loader(project, command)
    data = _validated(loader).data
    entry = {key: value for key, value in loader["catalog"]["image_sources"].items() if key != "type"}
    with contextlib.chdir(project.path):
        ingest(ImageSourcesDataset(**entry).load(), data)


def options(project: Project, command: tuple[str, ...]) -> None:
    """Checks what the options of `kedro run` name."""
    from mnist_lstm.cli import run

    with contextlib.chdir(project.path):
        bootstrap_project(project.path)
        expect_known(run.make_context("run", list(command[1:])).params)


def files(project: Project, command: tuple[str, ...]) -> None:
    """Looks for a damaged file of the configuration."""
    if found := damaged_file(project.path / "conf", ("base", "local")):
        raise found


def one_node(project: Project, command: tuple[str, ...]) -> None:
    """Loads the inputs of the node that the command names, and calls it."""
    loader, name = _loader(project, command), command[command.index("--nodes") + 1]
    parameters = _validated(loader)
    (node,) = (each for each in register_pipelines()["__default__"].nodes if each.short_name == name)
    stored = [each for each in node.inputs if not each.startswith("params:")]
    with contextlib.chdir(project.path):
        catalog = DataCatalog.from_config({each: loader["catalog"][each] for each in stored})
        inputs = {f"params:{each}": getattr(parameters, each) for each in Parameters.model_fields}
        inputs |= {each: catalog.load(each) for each in stored}
        node.run({each: inputs[each] for each in node.inputs})


def _loader(project: Project, command: tuple[str, ...]) -> ConfigLoader:
    words = command[command.index("--params") + 1] if "--params" in command else ""
    context, option = click.Context(click.Command("run")), click.Option(["--params"])
    given: dict[str, Any] = _split_params(context, option, words)
    arguments: dict[str, Any] = settings.CONFIG_LOADER_ARGS
    return ConfigLoader(project.path / "conf", runtime_params=given, **arguments)


def _validated(loader: ConfigLoader) -> Parameters:
    values = dict(loader["parameters"])
    values.pop("tracking", None)
    found = checked(values)
    read_settings(loader)
    return found
