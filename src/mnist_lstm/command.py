"""What commands share: `kedro run`, one-line errors for mistakes, and options that choose the configuration."""

import atexit
import gc
import os
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from kedro.framework.cli.utils import KedroCliError, _split_params
from kedro.framework.project import settings
from kedro.utils import find_kedro_project
from yaml import MarkedYAMLError

from mnist_lstm.errors import UserError, cause_for_user, listed
from mnist_lstm.openmp import shorten_spinning
from mnist_lstm.output import expect_written
from mnist_lstm.preflight.cli_options import expect_known, expect_preset
from mnist_lstm.redaction import redacted
from mnist_lstm.sections import changed
from mnist_lstm.tracking.spool.outages import of_mlflow

IN_FILE = "`run: {params: {predict: {folder: 'a,b'}}}` with --config FILE."
GC_THRESHOLD = 50_000  # new objects between garbage collections; Python's 700 cost a run 1.6 s, mostly in imports


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turns a UserError into click's `Error: ...`, without a traceback."""
    try:
        yield
        expect_written()
    except click.ClickException:
        raise
    except Exception as error:
        if found := cause_for_user(error) or of_mlflow(error):
            raise click.ClickException(redacted(str(found))) from None
        raise


class Command(click.Command):
    """Refuses an option given twice, of which click would take the last one without a word; and values not of YAML."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Reads the options."""
        given = Counter(self.make_parser(ctx).parse_args(list(args))[2])
        for option, times in () if ctx.resilient_parsing else given.items():  # the shell completes a line
            if times > 1 and isinstance(option, click.Option) and not option.multiple and not option.is_flag:
                raise click.UsageError(
                    f"{option.opts[0]} must be given once, found {times} times; join values by commas, or drop one."
                )
        with _explained_params():
            return super().parse_args(ctx, args)


@contextmanager
def _explained_params() -> Iterator[None]:
    """Says what to do about --params where Kedro or YAML say only what is wrong."""
    try:
        yield
    except click.UsageError as error:
        if not error.message.startswith("Invalid format of `params`"):
            raise
        raise click.UsageError(
            f"{error.message} A comma begins the next one; a value that holds a comma goes into a file, as {IN_FILE}"
        ) from None
    except MarkedYAMLError as error:
        value = str(error.problem_mark.buffer).rstrip("\0") if error.problem_mark else ""
        raise click.UsageError(
            f"--params must have values of YAML, found {value!r}, of which it says: {error.problem}; put the value "
            f"into double quotes within single ones: 'KEY=\"{value}\"'."
        ) from None


class Run(Command):
    """Kedro's own `run` with all its options, which shows a user's mistakes in one line."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Shows what is wrong in the file of --config, of which Kedro shows "NoneType: None".

        Parameters of the file count beside those of the command line, which in Kedro replace them all.
        """
        try:
            rest = super().parse_args(ctx, args)
        except KedroCliError as error:
            raise click.ClickException(f"--config: {' '.join(error.message.split())}") from None
        of_file = (ctx.default_map or {}).get("params")
        if of_file and ctx.get_parameter_source("params") is ParameterSource.COMMANDLINE:
            option = next(each for each in self.params if each.name == "params")
            with _explained_params():
                ctx.params["params"] = changed(changed({}, _split_params(ctx, option, of_file)), ctx.params["params"])
        return rest

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the pipeline."""
        tune_process()
        # As Kedro's session does, but only after all checks
        ctx.params["env"] = ctx.params["env"] or os.environ.get("KEDRO_ENV")
        with one_line_errors():
            expect_known(ctx.params)
            if named := ctx.params["params"].pop("of", None):
                _take_from_run(str(named), ctx.params)
            try:
                return super().invoke(ctx)
            except Exception as error:
                if cause_for_user(error) or not _refused_by_kedro(error):
                    raise
                message = " ".join(str(error).split())
                options = ", ".join(f"{option} {value!r}" for option, value in ctx.params.items() if value)
                raise UserError(f"{message} (options: {options or 'none'})") from error


def _take_from_run(named: str, options: dict[str, Any]) -> None:
    """Changes the options of `kedro run` so that a recorded run is evaluated."""
    from mnist_lstm.sweep.hook import trial
    from mnist_lstm.tracking import of_run, store

    wanted = set(options["pipelines"] or ())
    if not wanted or wanted - {"evaluate", of_run.REPORT}:
        raise UserError("of=RUN is for `kedro run --pipelines evaluate` or `evaluate,report`; name these alone.")
    project = find_kedro_project(Path.cwd()) or Path.cwd()
    params = {block: values for block, values in options["params"].items() if block != "data"}  # names no champion
    store.configure(project, _loader(project, options["conf_source"], options["env"], params))
    options["params"], trial.inputs = of_run.of_run(project, named, options["params"])
    options["pipelines"] = [*of_run.STAGES, *(wanted & {of_run.REPORT})]


def _loader(project: Path, conf_source: str | None, env: str | None, params: dict[str, Any]) -> Any:
    conf = Path(conf_source).absolute() if conf_source else project / settings.CONF_SOURCE
    return settings.CONFIG_LOADER_CLASS(str(conf), env=env, runtime_params=params, **settings.CONFIG_LOADER_ARGS)


def tune_process() -> None:
    """Tunes OpenMP and the garbage collector; results are unaffected."""
    shorten_spinning()
    gc.set_threshold(GC_THRESHOLD)
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)


def _refused_by_kedro(error: Exception) -> bool:
    """Whether Kedro or OmegaConf refused the command, rather than a node or dataset failed."""
    *_, last = traceback.walk_tb(error.__traceback__)
    module = last[0].f_globals["__name__"].partition(".")[0]
    return module in ("kedro", "omegaconf") and not str(error).startswith("Failed while")  # loading or saving


def configured(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the project's root, and the options by which it reads the same configuration as a run."""

    @click.option("--env", "-e", envvar="KEDRO_ENV", help="The preset whose mlflow.yml counts, as for `kedro run`.")
    @click.option("--conf-source", help="Folder of the configuration, instead of conf/.")
    @click.option(
        "--params", default="", callback=_split_params, help="Settings such as tracking.experiment.name=NAME."
    )
    @click.pass_obj
    @wraps(command)
    def with_configuration(
        metadata: Any, /, env: str | None, conf_source: str | None, params: dict[str, Any], **options: Any
    ) -> None:
        from mnist_lstm.tracking import store

        project = metadata.project_path
        with one_line_errors():
            expect_preset(env, conf_source)
            if others := params.keys() - {"tracking"}:
                raise UserError(f"--params must be tracking.* for this command, found {listed(others)}; leave it out.")
            store.configure(project, _loader(project, conf_source, env, params))
            command(project, **options)

    return with_configuration
