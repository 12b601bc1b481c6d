"""The project's own commands, and `kedro run` with a user's mistakes told in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run

from mnist_lstm.errors import cause_for_user, listed, nearest


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turns a mistake that the user can mend into click's `Error: ...`, without a traceback."""
    try:
        yield
    except Exception as error:
        if told := cause_for_user(error):
            raise click.ClickException(str(told)) from None
        raise


class Run(click.Command):
    """Kedro's own `run`, options and all, that tells mistakes in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the pipeline."""
        with one_line_errors():
            _expect_pipelines(ctx.params["pipelines"] or ([ctx.params["pipeline"]] if ctx.params["pipeline"] else []))
            return super().invoke(ctx)


def _expect_pipelines(names: list[str]) -> None:
    from kedro.framework.project import pipelines

    for name in names:
        if name not in pipelines:
            raise click.ClickException(f"pipeline must be {listed(pipelines)}, not {name!r}{nearest(name, pipelines)}.")


@click.group(name="mnist_lstm")
def cli() -> None:
    """Commands of this project."""


run = Run(
    "run",
    callback=kedro_run.callback,
    params=kedro_run.params,
    help=kedro_run.help,
)
cli.add_command(run)
