"""Versions of the model in MLflow's registry, and which of them is the champion."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from mnist_lstm.core.data.bundled_digits import NAME as STAND_IN
from mnist_lstm.tracking import reader
from mnist_lstm.tracking.moved import lock
from mnist_lstm.tracking.settings import registered_name
from mnist_lstm.tracking.store import DATABASE

CHAMPION = "champion"  # the alias
DESCRIPTION = (
    "Classifiers of this project, a version for each run. The alias `champion` is at the version with the best "
    "validation accuracy; `kedro serve` and `kedro run --pipelines predict` use it."
)
DATA, IMAGES, ACCURACY = "data", "data.valid.sha256", "valid/accuracy"  # tags of a version
LOGGED = "models:/"  # begins the source of a version that is a logged model
DECISION, VERSION = "champion.decision", "registered.version"  # tags of a version, and of its run
VERSIONS = "mlflow.modelVersions"  # tag of a logged model, by which MLflow's page shows it as registered


class Candidate(NamedTuple):
    """A model to register."""

    run_id: str
    model_id: str
    data: str  # its name
    images: str  # SHA-256 of the validation images
    accuracy: float  # on the validation images, a fraction
    description: str = ""  # of the version, for people

    @property
    def tags(self) -> dict[str, str]:
        """Tags of the version, by which later candidates are compared with it."""
        return {DATA: self.data, IMAGES: self.images, ACCURACY: repr(self.accuracy)}


def register(client: Any, project: Path, candidate: Candidate, name: str, margin: float) -> str:
    """Registers a model, moves the alias `champion` to it if it is better, and returns the decision in words.

    A file lock orders runs that end at the same time. No file is copied: the version refers to the logged model. Of
    models of the bundled digits, which stand in for other data, only champions become versions.

    Args:
        name: of the registered model; "{data}" in it becomes the name of the data.
        margin: by which its validation accuracy must exceed the champion's, a fraction.
    """
    name = registered_name(name, candidate.data)
    with lock(project / DATABASE):
        before = version_called(client, name, CHAMPION)
        champion = standing(client, before) if before else None
        wins, reason = decision(champion, candidate, margin)
        if before and champion and champion.version != before.version:
            client.set_registered_model_alias(name, CHAMPION, champion.version)
            reason = f"{reason} (the champion before, version {before.version}, is gone)"
        if candidate.data == STAND_IN and not wins:
            return f"no version of {name}: this model {reason}"
        _expect_registered_model(client, name)
        made = client.create_model_version(
            name,
            f"{LOGGED}{candidate.model_id}",
            candidate.run_id,
            tags=candidate.tags | {DECISION: f"{date.today()}: {reason}"},
            description=candidate.description,
            await_creation_for=0,
            model_id=candidate.model_id,
        )
        versions = json.dumps([{"name": name, "version": made.version}])
        client.set_logged_model_tags(candidate.model_id, {VERSIONS: versions})
        if wins:
            client.set_registered_model_alias(name, CHAMPION, made.version)
    client.set_tag(candidate.run_id, VERSION, f"{name} {made.version}")
    client.set_tag(candidate.run_id, DECISION, reason)
    return f"{name} version {made.version} {reason}"


class Champion(NamedTuple):
    """The champion as a candidate meets it."""

    version: Any  # in the registry
    tags: dict[str, str] | None  # by which it is compared; None if its run or its model is gone


def standing(client: Any, champion: Any) -> Champion:
    """The champion or, where its run or model is gone, the best other version that was validated on the same images."""
    found = _champion(client, champion)
    if found.tags is not None:
        return found
    others = client.search_model_versions(f"name = '{champion.name}'", max_results=1000)
    same = [each for each in others if ACCURACY in each.tags and each.tags.get(IMAGES) == champion.tags.get(IMAGES)]
    for version in sorted(same, key=lambda each: (-float(each.tags[ACCURACY]), -int(each.version))):
        if (heir := _champion(client, version)).tags is not None:
            return heir
    return found


def _champion(client: Any, version: Any) -> Champion:
    """What is known of a version; of one that a person registered, from its run."""
    run, source = reader.if_there(client.get_run, version.run_id), version.source  # an alias returns no model_id
    lost = source.startswith(LOGGED) and not reader.if_there(client.get_logged_model, source.removeprefix(LOGGED))
    if lost or run is None or run.info.lifecycle_stage == "deleted":
        return Champion(version.version, None)
    return Champion(version.version, version.tags if IMAGES in version.tags else _tags_of(client, run))


def _tags_of(client: Any, run: Any) -> dict[str, str]:
    """The tags of a version of this run's model, as far as they follow from the run."""
    curves, keep = reader.curves(client, run.info.run_id), run.data.params.get("training.keep")
    found = {DATA: run.data.tags.get(DATA), IMAGES: reader.digests(run).get("valid")}
    found |= reader.of_kept_weights(curves, keep)
    return {key: str(value) for key, value in found.items() if value is not None}


def decision(champion: Any | None, candidate: Candidate, margin: float) -> tuple[bool, str]:
    """Whether the candidate becomes the champion, and why, as the end of a sentence about it.

    Validation accuracies are compared on the same images only. If the images differ, the champion stays, unless it was
    trained on the bundled digits, the stand-in for other data, and the candidate was not.
    """
    if champion is None:
        return True, "became the champion, the first one"
    of = f"version {champion.version}"
    if champion.tags is None:
        return True, f"became the champion: the run or the model of {of}, the champion before, was deleted"
    data, images = champion.tags.get(DATA), champion.tags.get(IMAGES)
    if not (images and candidate.images.startswith(images) and ACCURACY in champion.tags):  # MLflow shortens digests
        if data == STAND_IN and candidate.data != STAND_IN:
            return True, f"became the champion: it was trained on {candidate.data}, {of} on the bundled digits"
        differ = f"the validation images differ ({candidate.data}, {data or 'unknown'})"
        return False, f"is not compared with the champion, {of}: {differ}"
    before = float(champion.tags[ACCURACY])
    if round(candidate.accuracy - before, 9) > margin:  # accuracies differ by whole images; ignore a float's last bits
        return True, f"became the champion: validation accuracy {candidate.accuracy:.4f}, {of} had {before:.4f}"
    found = f"validation accuracy {candidate.accuracy:.4f} is not more than {margin:g} above its {before:.4f}"
    return False, f"leaves {of} the champion: {found}"


def version_called(client: Any, name: str, alias: str) -> Any | None:
    """The version of the registered model with an alias, None if there is none."""
    return reader.if_there(client.get_model_version_by_alias, name, alias)


def version_at(client: Any, address: str) -> Any | None:
    """The version with MLflow's address "NAME/VERSION", None if there is none."""
    name, _, number = address.rpartition("/")
    is_one = name and re.fullmatch(r"[1-9]\d{0,8}", number, re.ASCII)
    return reader.if_there(client.get_model_version, name, number) if is_one else None


def champions(client: Any) -> list[Any]:
    """The champion of each registered model that has one."""
    models = [model.name for model in client.search_registered_models(max_results=1000)]
    return [champion for name in models if (champion := version_called(client, name, CHAMPION))]


def _expect_registered_model(client: Any, name: str) -> None:
    import mlflow

    try:
        client.create_registered_model(name, description=DESCRIPTION)
    except mlflow.exceptions.MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
