"""The parameters that all trials of a sweep share, and the validated parameters of each trial."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from kedro.framework.session import KedroSession
from omegaconf import OmegaConf

from mnist_lstm.core.data.splits import SourceOf
from mnist_lstm.errors import UserError, listed
from mnist_lstm.parameters import INPUT_BLOCKS, SWEPT_BLOCKS, Parameters, checked
from mnist_lstm.preflight.config_loader import keys_and_values
from mnist_lstm.renamed_parameters import with_current_names
from mnist_lstm.sections import changed, flattened
from mnist_lstm.tracking import store
from mnist_lstm.tracking.settings import read_settings

THREADS, SEED = "training.threads", "training.seed"
ARM = "arm"  # names parameters that change together, of arms.yml in the preset's folder

Changes = dict[str, Any]  # flat: {"model.hidden_size": 64}


class Trial(NamedTuple):
    """A run of a sweep: its name in MLflow, unique in the study, and the parameters it changes."""

    name: str
    changes: Changes


class BaseParameters(NamedTuple):
    """What all trials share."""

    project: Path  # the project's root
    env: str | None  # the preset
    overrides: dict[str, Any]  # nested, from `--params`, and the number of threads
    values: dict[str, Any]  # nested, all parameters of one of the trials
    source_of: SourceOf  # of images, that the parameters name
    arms: dict[str, Changes]  # by name, what each changes

    def parameters(self, changes: Changes) -> Parameters:
        """All parameters of a trial, validated.

        Raises:
            UserError: if a name or a value is wrong.
        """
        changes = self.with_arm(changes)
        if wrong := [key for key in changes if "." in key and not key.startswith(SWEPT_BLOCKS)]:
            raise UserError(
                f"a sweep must be over {listed(SWEPT_BLOCKS)}* parameters, found {wrong[0]!r}; leave it out."
            )
        found = checked(changed(self.values, changes))
        self.source_of(found.data)
        return found

    def run_params(self, changes: Changes, **run: Any) -> dict[str, Any]:
        """The `--params` of a trial's run, nested; `run` is the block `tracking.run`."""
        tracking = self.overrides.get("tracking", {}) | {"run": run}
        return changed(self.overrides, self.with_arm(changes)) | {"tracking": tracking}

    def with_arm(self, changes: Changes) -> Changes:
        """The changes with those of the arm in place of its name; a parameter that is given itself counts.

        Raises:
            UserError: if there is no such arm.
        """
        if ARM not in changes:
            return changes
        if (name := changes[ARM]) not in self.arms:
            known = f"one of conf/{self.env}/arms.yml ({listed(self.arms)})" if self.arms else "left out"
            raise UserError(f"--grid {ARM} must be {known}, not {name!r}.")
        return self.arms[name] | {key: value for key, value in changes.items() if key != ARM}

    def inputs_folder(self, changes: Changes) -> str:
        """The folder of the prepared inputs, one for all trials that read the same."""
        values = flattened(self.parameters(changes).model_dump())
        inputs = {key: value for key, value in values.items() if key.startswith(INPUT_BLOCKS)}
        name = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]
        return str(self.project / "data" / "05_model_input" / "sweep" / name)


def base_parameters(project: Path, env: str | None, overrides: dict[str, Any], example: Changes) -> BaseParameters:
    """What all trials share.

    Trials train on one thread unless `overrides` says otherwise, for any number of workers: the number of threads
    decides the last bits. The parameters need to be valid only with the changes of a trial, such as `example`.

    Raises:
        UserError: if a name or a value is wrong.
    """
    overrides = with_current_names(overrides, "--params")
    usual = {THREADS: 1, "training.reuse": True}
    overrides = changed(overrides, {key: usual[key] for key in usual.keys() - flattened(overrides).keys()})
    overrides = changed(overrides, {"training.resume": False})
    example = {key: value for key, value in example.items() if key != ARM}
    with KedroSession.create(project_path=project, env=env, runtime_params=changed(overrides, example)) as session:
        context = session.load_context()  # type: ignore[attr-defined]
        values = context.config_loader.parameters()
        settings = read_settings(context.config_loader)
        store.configure(project, context.config_loader)  # for the study, too
        source_of = context.catalog.load("image_sources")
    if not settings.tracking.enabled:
        raise UserError("a sweep needs MLflow, found tracking.enabled false; leave that out.")
    return BaseParameters(project, env, overrides, values, source_of, arms_of(project, env))


def from_root(params: dict[str, Any], project: Path) -> dict[str, Any]:
    """The parameters with `data.path` relative to the project's root, if it is there from the current folder on."""
    own = flattened(params).get("data.path")
    if not isinstance(own, str) or Path(own).is_absolute() or not Path(own).exists():
        return params
    return changed(params, {"data.path": os.path.relpath(own, project)})


def arms_of(project: Path, env: str | None) -> dict[str, Changes]:
    """What each arm of a preset changes; none without arms.yml.

    Raises:
        UserError: if the file is damaged, or an arm is no block of parameters.
    """
    path = project / "conf" / (env or "base") / "arms.yml"
    loaded = keys_and_values(path) if path.is_file() else {}
    if wrong := [name for name, values in loaded.items() if not isinstance(values, dict)]:
        raise UserError(
            f"{path} must hold for each arm a block of parameters, {{}} for none, found {loaded[wrong[0]]!r} for "
            f"{wrong[0]!r}; mend it."
        )
    return {str(name): flattened(values) for name, values in loaded.items()}


def label(changes: Changes) -> str:
    """A short name of a trial: "hidden_size=64 cell=gru seed=2"."""
    short = [key.rpartition(".")[2] for key in changes]
    keys = short if len(set(short)) == len(short) else list(changes)
    return " ".join(f"{key}={value}" for key, value in zip(keys, changes.values(), strict=True))


def split_option(option: str, text: str) -> tuple[str, str]:
    """Key and values of an option "KEY=VALUES".

    Raises:
        UserError: if there is no key or no value.
    """
    key, _, values = text.partition("=")
    if not (key.strip() and values.strip()):
        raise UserError(f"{option} must be given as KEY=VALUES, found {text!r}; for example model.hidden_size=64,128.")
    (current,) = with_current_names({key.strip(): None}, option)
    return current, values.strip()


def parse_value(text: str) -> Any:
    """A value as `--params` reads it: "64" to 64, "null" to None, "lstm" to "lstm"."""
    return OmegaConf.to_container(OmegaConf.from_dotlist([f"value={text}"]))["value"]  # type: ignore[call-overload, index]
