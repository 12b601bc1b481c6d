"""The commands that use a trained model: `kedro explain`, `kedro draw`, `kedro export` and `kedro serve`."""

from pathlib import Path

import click

from mnist_lstm.command import Command, configured
from mnist_lstm.errors import UserError

FORMATS = ("onnx", "safetensors")
SUFFIXES = tuple(f".{name}" for name in FORMATS)


@click.command(cls=Command)
@click.argument("model_name", metavar="RUN")
@click.option("--format", "file_format", default="onnx", show_default=True, type=click.Choice(FORMATS))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="By default classifier.FORMAT.")
@configured
def export(project: Path, model_name: str, file_format: str, output: Path | None) -> None:
    """Write the model of RUN as one file for other programs.

    RUN is champion, a run's id or name, latest, or a *.pt file. ONNX takes raw images and gives probabilities;
    safetensors holds the weights alone.
    """
    from mnist_lstm.datasets.atomic import atomic_write
    from mnist_lstm.tracking import export as exporting

    if output and output.suffix.lower() in SUFFIXES and output.suffix.lower() != f".{file_format}":
        raise UserError(
            f"a file in the format {file_format} must not be called {output.name!r}; name it *.{file_format}, or pass "
            f"--format {output.suffix[1:].lower()}."
        )
    path = output or project / "data" / "06_models" / f"classifier.{file_format}"
    atomic_write(path, exporting.content(project, model_name, file_format))
    click.echo(f"Written {path} ({path.stat().st_size:,} bytes)")


@click.command(cls=Command)
@click.option("--model", default="champion", show_default=True, help="Also a run's id or name, or latest.")
@click.option("--port", default=5001, show_default=True, type=click.IntRange(1, 65535))
@configured
def serve(project: Path, model: str, port: int) -> None:
    """Serve a model over HTTP: POST images to http://127.0.0.1:5001/invocations.

    Only this machine can reach it.
    """
    from mnist_lstm.tracking import servers

    servers.serve_model(project, model, port)


@click.command(cls=Command)
@click.argument("run_names", metavar="[RUN [RUN]]", nargs=-1)
@configured
def explain(project: Path, run_names: tuple[str, ...]) -> None:
    """Write a page that shows how the network of RUN reads a digit, step by step.

    RUN is a run's id, its name, `latest` or `champion`, which is the default. A second RUN reads the same images.
    """
    click.echo(f"Page: {_explained(project, run_names)}")


@click.command(cls=Command)
@click.argument("run_name", metavar="[RUN]", default="champion")
@configured
def draw(project: Path, run_name: str) -> None:
    """Open the page of `kedro explain`, to draw a digit and watch the network read it."""
    import webbrowser

    page = _explained(project, (run_name,))
    click.echo(f"Page: {page}")
    webbrowser.open(page.as_uri())


def _explained(project: Path, run_names: tuple[str, ...]) -> Path:
    """Writes the page of one run or two, and returns its path."""
    from mnist_lstm.datasets.atomic import atomic_write
    from mnist_lstm.datasets.npz import ImagesDataset
    from mnist_lstm.tracking import explained

    if len(run_names) > 2:
        raise click.BadParameter("at most two runs", param_hint="RUN")
    images = ImagesDataset(filepath=str(project / explained.TEST_IMAGES))
    written, run_id = explained.explained(project, run_names or ("champion",), images.load)
    page = project / "data" / "08_reporting" / f"explain-{run_id[:12]}.html"
    atomic_write(page, written.encode())
    return page


COMMANDS = (explain, draw, export, serve)
