"""The functions of this project that refuse a mistake, each called by itself: milliseconds instead of a command."""

import contextlib
from collections.abc import Callable
from typing import Any

import click
from kedro.framework.cli.utils import _split_params
from kedro.framework.startup import bootstrap_project

from mnist_lstm import settings
from mnist_lstm.datasets.image_sources import ImageSourcesDataset
from mnist_lstm.parameters import Parameters, checked
from mnist_lstm.pipelines.ingest.nodes import ingest
from mnist_lstm.preflight.cli_options import expect_known
from mnist_lstm.preflight.config_loader import ConfigLoader
from mnist_lstm.tracking.settings import read_settings
from tests.support.projects import Project

Check = Callable[[Project, tuple[str, ...]], object]


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
    """Reads the files of the configuration."""
    loader = _loader(project, command)
    for key in ("parameters", "catalog", "mlflow"):
        loader[key]


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
