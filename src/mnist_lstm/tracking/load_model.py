"""Loads a trained model by the registry's alias, by a run, or by a checkpoint's path."""

import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from mnist_lstm.core.training import checkpoint
from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.errors import UserError
from mnist_lstm.read_only import ReadOnlyDataset
from mnist_lstm.tracking import reader, registry, store, tags
from mnist_lstm.tracking.find_run import LATEST, find_run

SUFFIX = ".pt"
logger = logging.getLogger(__name__)


class ModelsDataset(ReadOnlyDataset[Callable[[str], Checkpoint]]):
    """A function that loads a model by its name; a model that a run needs twice is read once."""

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None):
        super().__init__(path=path, metadata=metadata)
        self._model = cache(lambda named: model_and_run(self._path, named)[0])

    def load(self) -> Callable[[str], Checkpoint]:
        return self._model


def model_and_run(project: Path, named: str) -> tuple[Checkpoint, str | None]:
    """The trained model with a name, and the id of its run; None for a checkpoint's path.

    Args:
        named: "champion" or another alias of the registered model, "NAME@champion" of that of another data set, a run's
            id or name, "latest", "models:/NAME/VERSION" as MLflow has it, or a checkpoint's path.
    """
    path = Path(named).expanduser()
    if path.suffix == SUFFIX:
        if not path.is_file():
            raise UserError(f"a model must be a checkpoint that exists, found no file {named!r}.")
        return checkpoint.from_file(path), None
    if path.suffix and path.is_file():  # a name without one may be that of a run, too
        raise UserError(f"a model must be a checkpoint (*{SUFFIX}, in data/06_models/checkpoints), found {named!r}.")
    client, _, experiment, registered = store.opened(project)
    run_id = run_called(client, experiment, registered, named)
    return of_run(client, run_id), run_id


def logged_model(project: Path, named: str) -> str:
    """MLflow's address of the exported model with a name, as in `model_and_run`.

    Raises:
        UserError: if there is none.
    """
    client, _, experiment, registered = store.opened(project)
    run_id = run_called(client, experiment, registered, named)
    # Not from the run's outputs, which keep what could not be logged to its end
    logged = client.search_logged_models([client.get_run(run_id).info.experiment_id], f"source_run_id = '{run_id}'")
    whole = [model for model in logged if model.status == "READY"]
    if not whole:
        raise UserError(f"run {run_id} must hold an exported model, found none; name another run.")
    return f"models:/{whole[0].model_id}"


def run_called(client: Any, experiment: str, registered: str, named: str, did: tuple[str, ...] = ("trained",)) -> str:
    """The id of the run that trained the model, whose version may be called by an alias; `did` as in `find_run`.

    Raises:
        UserError: if there is none.
    """
    named = named.removeprefix("models:/")  # MLflow's own address of a version, by its alias or number
    name, at, alias = named.rpartition("@")
    found = registry.version_at(client, named)
    if not found and named != LATEST:  # which MLflow takes for the newest version of the registered model
        found = registry.version_called(client, name if at else registered, alias)
    others = registry.champions(client) if not found and named == registry.CHAMPION else []
    if len(others) == 1:
        (found,) = others
        logger.warning("%r has no champion: that of %r answers, the only one there is.", registered, found.name)
    if found:
        heir = registry.standing(client, found) if registry.CHAMPION in (named, alias) else found
        if heir.version != found.version:
            message = (
                "The run or the model of version %s, the champion of %r, is gone; version %s is the best of the others."
            )
            logger.warning(message, found.version, found.name, heir.version)
            found = client.get_model_version(found.name, heir.version)
        if run := reader.if_there(client.get_run, found.run_id):
            return str(run.info.run_id)
        raise UserError(
            f"version {found.version} of {found.name!r}, its {named!r}, must have its run, found none with the id "
            f"{found.run_id!r}: it was deleted; train again (`kedro run`), or name another model."
        )
    if registry.CHAMPION not in (named, alias):
        return str(find_run(client, experiment, named, did).info.run_id)
    there = ", ".join(sorted(f"{other.name}@{registry.CHAMPION}" for other in others))
    raise UserError(
        f"the registered model {(name or registered)!r} has no champion{f' (there are {there})' if there else ''}; "
        "train one (`kedro run`), or name a run, as `latest` (`kedro explain RUN`, `kedro serve --model RUN`, or the "
        "parameter 'predict.model')."
    )


def of_run(client: Any, run_id: str) -> Checkpoint:
    """The checkpoint that a run recorded, checked by the digest in the run's tag.

    Raises:
        UserError: if there is none, or its weights are others.
    """
    content = reader.fetched(client, run_id, "checkpoint.pt")
    if content is None:
        raise reader.missing(client.get_run(run_id), "checkpoint.pt", "did not train")
    found = checkpoint.from_bytes(content, f"checkpoint.pt of run {run_id}")
    recorded, digest = client.get_run(run_id).data.tags.get(tags.WEIGHTS), checkpoint.weights_digest(found.weights)
    if recorded != digest:
        raise UserError(
            f"checkpoint.pt of run {run_id} must have weights with the digest in its tag {tags.WEIGHTS!r}, {recorded}, "
            f"found {digest}; the file was changed. Choose another model, or train again."
        )
    return found
