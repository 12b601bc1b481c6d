"""The commands of sealed runs: `kedro seal`, `kedro verify` and `kedro import`."""

from pathlib import Path

import click

from mnist_lstm.command import Command, configured

FILE = click.Path(path_type=Path)


@click.command(cls=Command)
@click.argument("run_name", metavar="RUN")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="By default RUN.seal.zip.")
@configured
def seal(project: Path, run_name: str, output: Path | None) -> None:
    """Write RUN as one file that anybody can check: `kedro verify FILE`.

    RUN is a run's id, its name, `latest` or `champion`. The file holds code, parameters, weights, predictions, metrics
    and report, each with its SHA-256, and neither paths nor passwords. The same run gives the same bytes.
    """
    from mnist_lstm.datasets.atomic import atomic_write
    from mnist_lstm.tracking.seal import archive, contents

    content, run_id = contents.sealed(project, run_name)
    path = output or project / "data" / "08_reporting" / f"{run_id[:12]}.seal.zip"
    atomic_write(path, content)
    click.echo(f"Written {path} ({len(content):,} bytes)\nSHA-256 {archive.sha256(content)}")


@click.command(cls=Command)
@click.argument("file", type=FILE)
@click.option("--train", is_flag=True, help="Train it again, too, and compare the bits as `kedro reproduce` does.")
@click.option("--data", type=click.Path(), help="Where its data are: a folder with the source's files.")
@configured
def verify(project: Path, file: Path, train: bool, data: str | None) -> None:
    """Check a sealed run: digests, predictions, metrics, and what differs here.

    It needs neither the store nor the repository in which the run was made. The exit code is 0 if all is as the seal
    says, 2 if predictions, metrics or the new training differ, and 1 if a byte of the seal was changed.
    """
    from mnist_lstm.tracking.reproduce import drift
    from mnist_lstm.tracking.seal import contents, verify

    found = contents.opened(file)
    click.echo(f"seal: run {found.run['id']} ({found.run['name']}), all {len(found.files)} digests right")
    click.echo(f"      SHA-256 {found.sha256}")
    verdicts = verify.scored(project, found, data)
    for verdict in verdicts:
        click.echo(verdict.sentence)
    differences = drift.drift(found.provenance, project)
    drift.show(differences, f"run {found.run['id']} ({found.run['name']})")
    if train:
        verdicts.append(verify.trained_again(project, found, data, differences))
        click.echo(verdicts[-1].sentence)
    if not all(verdict.equal for verdict in verdicts):
        raise SystemExit(2)


@click.command(name="import", cls=Command)
@click.argument("file", type=FILE)
@configured
def import_run(project: Path, file: Path) -> None:
    """Put a sealed run into MLflow here, for `compare`, `reproduce`, `explain`, `export` and `predict`.

    It is checked first, but not scored: that is `kedro verify FILE`. Its model is not registered.
    """
    from mnist_lstm.tracking.seal import contents, importing

    run_id, new = importing.imported(project, contents.opened(file))
    click.echo(f"{'Imported' if new else 'Imported before'} as run {run_id}")


COMMANDS = (seal, verify, import_run)
