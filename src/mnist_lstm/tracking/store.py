"""Where runs are recorded: the MLflow store."""

import logging
import os
import re
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

from kedro.framework.project import settings as kedro_settings

from mnist_lstm.data_parameters import source_of
from mnist_lstm.errors import UserError
from mnist_lstm.redaction import redacted
from mnist_lstm.temporary_folder import temporary_folder
from mnist_lstm.tracking import moved
from mnist_lstm.tracking.pages import EXPERIMENT_TAGS, describe_experiment
from mnist_lstm.tracking.schema import check_schema
from mnist_lstm.tracking.settings import read_settings, registered_name
from mnist_lstm.tracking.spool.outages import store_errors

DATABASE = "mlflow.db"
OLDEST = 3  # major version of a server that MLflow can log models to
MISREAD = re.compile(r"%[0-9a-fA-F]{2}|\?")  # in the path of a sqlite database: MLflow opens another file
# A silent server times out after seconds, not after MLflow's four minutes, as the spool stores what it misses.
# MLflow prints neither progress bars nor addresses between the lines of the run
ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "8",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}

_CONFIGURED: ContextVar[tuple[Path | None, Any]] = ContextVar("configured", default=(None, None))


class Opened(NamedTuple):
    """The store, for commands outside of a run: MLflow's client, the address, and the names of experiment and model."""

    client: Any
    uri: str
    experiment: str
    registered_model: str


def opened(project: Path) -> Opened:
    """The store of the project at this root.

    Raises:
        UserError: if mlflow.yml is invalid or the store cannot be used.
    """
    loader = config_loader(project)
    found = read_settings(loader)
    uri = tracking_uri(project, found.server.mlflow_tracking_uri)
    data = source_of(loader["parameters"]["data"])
    name = registered_name(found.tracking.registry.name, data)
    return Opened(client(project, uri), uri, found.tracking.experiment.name, name)


def configure(project: Path, loader: Any) -> None:
    """Makes the configuration that a run or a command reads count for `opened`, too, in this thread."""
    _CONFIGURED.set((project, loader))


def config_loader(project: Path) -> Any:
    """The loader of the configuration that was last given to `configure` for this project, by default that of conf/."""
    configured, loader = _CONFIGURED.get()
    if configured == project:
        return loader
    return kedro_settings.CONFIG_LOADER_CLASS(str(project / "conf"), **kedro_settings.CONFIG_LOADER_ARGS)


def tracking_uri(project: Path, configured: str | None) -> str:
    """Address of the store: as configured, else MLFLOW_TRACKING_URI, else mlflow.db in the project's root."""
    return configured or os.environ.get("MLFLOW_TRACKING_URI", "").strip() or own_uri(project)


def own_uri(project: Path) -> str:
    """Address of the project's own store."""
    return f"sqlite:///{project / DATABASE}"


def client(project: Path, uri: str) -> Any:
    """A client of the store at `uri`; the project's own store is created if it is missing.

    Raises:
        UserError: if the store cannot be used.
    """
    with store_errors(uri):
        prepare(project, uri)
        check_schema(uri)
        if uri == own_uri(project):
            moved.follow(project / DATABASE)
        import mlflow

        mlflow.set_tracking_uri(uri)
        if uri.startswith("http"):
            _expect_version(uri)
        found = mlflow.MlflowClient(uri)
        found.search_experiments(max_results=1)
    return found


def _expect_version(uri: str) -> None:
    """Checks the version of a server that tells one."""
    from mlflow.utils import rest_utils

    rest: Any = rest_utils  # untyped
    found = rest.http_request(rest.MlflowHostCreds(uri), "/version", "GET").text.strip()
    if (version := re.fullmatch(r"(\d+)\.\d+\S*", found)) and int(version[1]) < OLDEST:
        raise UserError(
            f"the MLflow server {redacted(uri)} must be of version {OLDEST} or later, as it must take models, found "
            f"{found}; upgrade it, choose another by MLFLOW_TRACKING_URI, or pass --params tracking.enabled=false."
        )


def prepare(project: Path, uri: str) -> None:
    """Does the slow steps that need no answer from a server: imports MLflow and creates the project's own store."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401

    # Which tables it creates, and a traceback for each call to a locked database, which is reported in one line
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)

    database = project / DATABASE
    if uri in ("sqlite://", "sqlite:///", "sqlite:///:memory:"):
        raise UserError(f"the MLflow store must be a file, found {uri}, which ends with this process; name one.")
    if uri == own_uri(project) and (found := MISREAD.search(str(project))):
        raise UserError(
            f"the project's path must not hold {found[0]!r}, which MLflow takes for an escape in {uri}; rename the "
            "folder, or choose another store by MLFLOW_TRACKING_URI."
        )
    if re.search("[\ud800-\udfff]", str(project)):  # Python's marks of bytes that the encoding does not have
        raise UserError(
            f"the project's path must be readable in the encoding of the locale, found {str(project)!a}; set "
            "PYTHONUTF8=1, or choose a locale of UTF-8."
        )
    if database.is_symlink() and not database.exists():  # a store of its own would take the link's place
        raise UserError(
            f"{database} must be a link to a store, found none at {os.readlink(database)}; bring it back (is a disk "
            "missing?), or remove the link."
        )
    if uri == own_uri(project) and not database.exists():
        _create(database)


def experiment_id(client: Any, name: str, project: Path, uri: str) -> str:
    """The experiment's id; a new experiment in the project's own store has its artifacts in the project's root.

    Raises:
        UserError: if the experiment is deleted.
    """
    import mlflow

    found = client.get_experiment_by_name(name)
    if found is None:
        place = _below(project / moved.ARTIFACTS, name).as_uri() if uri == own_uri(project) else None
        try:
            client.create_experiment(name, artifact_location=place, tags=EXPERIMENT_TAGS)
        except mlflow.exceptions.MlflowException:  # another process has just created it
            if client.get_experiment_by_name(name) is None:
                raise
        found = client.get_experiment_by_name(name)
    if found.lifecycle_stage == "deleted":
        raise UserError(
            f"the MLflow experiment {name!r} is deleted; restore it (`mlflow experiments restore -x "
            f"{found.experiment_id}`) or choose another: --params tracking.experiment.name=NAME."
        )
    describe_experiment(client, found)
    return str(found.experiment_id)


def _below(folder: Path, name: str) -> Path:
    place = (folder / name).resolve()
    if not place.is_relative_to(folder.resolve()):
        raise UserError(f"setting 'tracking.experiment.name' must name a folder below {folder}, not {name!r}.")
    return place


def _create(database: Path) -> None:
    """Creates the sqlite store under a temporary name and renames it.

    Otherwise concurrent runs, or one that is killed, could leave an incomplete store.
    """
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    with moved.lock(database):
        if database.exists():
            return
        with temporary_folder(database.parent) as folder:
            unfinished = folder / DATABASE
            store = SqlAlchemyStore(f"sqlite:///{unfinished}", (database.parent / moved.ARTIFACTS).as_uri())  # type: ignore[no-untyped-call]
            store.engine.dispose()
            os.replace(unfinished, database)
