"""Models by version in MLflow's registry, and which of them is the champion."""

import logging
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock

from mnist_lstm.core.data.bundled_digits import NAME as STAND_IN
from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.tracking.store import DATABASE, RegistrySettings

logger = logging.getLogger(__name__)

CHAMPION = "champion"  # the alias
DATA, IMAGES, ACCURACY = "data", "data.valid.sha256", "valid/accuracy"  # tags of a version
DECISION, VERSION = "champion.decision", "registered.version"  # tags of a version, and of its run


class Candidate(NamedTuple):
    """A model to register.

    Attributes:
        run_id, model_id: MLflow's.
        data: the name of its data.
        images: SHA-256 of its validation images.
        accuracy: on them, a fraction.
    """

    run_id: str
    model_id: str
    data: str
    images: str
    accuracy: float

    @property
    def tags(self) -> dict[str, str]:
        """What a version is compared by."""
        return {DATA: self.data, IMAGES: self.images, ACCURACY: repr(self.accuracy)}


def valid_accuracy(checkpoint: Checkpoint) -> float:
    """The accuracy on the validation images of the weights that classify."""
    state = checkpoint.state
    if checkpoint.keep == "best" and state.best:
        return float(state.best.accuracy)
    return float([row for row in state.history if row["valid_accuracy"] == row["valid_accuracy"]][-1]["valid_accuracy"])


def register(client: Any, project: Path, settings: RegistrySettings, candidate: Candidate) -> str:
    """Registers a model, moves the alias `champion` to it if it deserves it, and returns the decision in words.

    Runs that end at the same moment decide one after the other. Nothing is copied: the version refers to the model
    that the run has logged.
    """
    with FileLock(f"{project / DATABASE}.lock"):
        _expect_registered_model(client, settings.name)
        champion = champion_of(client, settings.name)
        wins, reason = decision(champion, candidate, settings.margin)
        made = client.create_model_version(
            settings.name,
            f"models:/{candidate.model_id}",
            candidate.run_id,
            tags=candidate.tags | {DECISION: reason},
            await_creation_for=0,
            model_id=candidate.model_id,
        )
        if wins:
            client.set_registered_model_alias(settings.name, CHAMPION, made.version)
    client.set_tag(candidate.run_id, VERSION, f"{settings.name} {made.version}")
    client.set_tag(candidate.run_id, DECISION, reason)
    return f"{settings.name} version {made.version} {reason}"


def decision(champion: Any | None, candidate: Candidate, margin: float) -> tuple[bool, str]:
    """Whether the candidate is to be champion, and why, as the end of a sentence about it.

    Validation accuracies are compared on the same images only. Without that, the champion stays, unless it was
    trained on the bundled digits, which stand in for other data: it yields to any other.
    """
    if champion is None:
        return True, "is the champion, the first one"
    of, data = f"version {champion.version}", champion.tags.get(DATA)
    if champion.tags.get(IMAGES) != candidate.images:
        if data == STAND_IN and candidate.data != STAND_IN:
            return True, f"is the champion: it was trained on {candidate.data}, {of} on the bundled digits"
        return (
            False,
            f"is not compared with the champion, {of}: the validation images differ ({candidate.data}, {data})",
        )
    before = float(champion.tags[ACCURACY])
    if round(candidate.accuracy - before, 9) > margin:  # whole images apart, so the last bits of a float are no gain
        return True, f"is the champion: validation accuracy {candidate.accuracy:.4f}, {of} had {before:.4f}"
    found = f"validation accuracy {candidate.accuracy:.4f} is not more than {margin:g} above its {before:.4f}"
    return False, f"leaves {of} the champion: {found}"


def champion_of(client: Any, name: str) -> Any | None:
    """The version of the registered model that is the champion, None if there is none."""
    import mlflow

    try:
        return client.get_model_version_by_alias(name, CHAMPION)
    except mlflow.exceptions.MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):  # no model, or no such alias
            return None
        raise


def _expect_registered_model(client: Any, name: str) -> None:
    import mlflow

    try:
        client.create_registered_model(name)
    except mlflow.exceptions.MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
