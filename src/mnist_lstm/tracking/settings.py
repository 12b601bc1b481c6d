"""The settings of conf/base/mlflow.yml."""

import re
from importlib.util import find_spec
from typing import Annotated, Any

from omegaconf import OmegaConf
from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from mnist_lstm.errors import UserError
from mnist_lstm.parameter_types import FROM_NUMBER
from mnist_lstm.sections import Section, mistakes


class _Server(Section):
    mlflow_tracking_uri: str | None


class _Experiment(Section):
    name: Annotated[str, FROM_NUMBER, Field(min_length=1, max_length=500)]  # as MLflow allows


def _of_this_run_alone(name: str) -> str:
    """Checks that commands do not take the name of a run for another one, or for a file."""
    if re.fullmatch(r"latest|(.*@)?champion|.*\.pt|https?:.*|[0-9a-f]{32}", name, re.IGNORECASE):
        raise PydanticCustomError("name", "Input should be a name that commands do not take for another run or a file")
    return name


class _Run(Section):
    name: Annotated[str, FROM_NUMBER, AfterValidator(_of_this_run_alone)] | None
    parent: Annotated[str | None, FROM_NUMBER]


def _with_known_placeholders(name: str) -> str:
    if unknown := re.search(r"[{}]", name.replace("{data}", "")):
        raise PydanticCustomError("name", f"Input should have {{data}} alone in braces, without another {unknown[0]}")
    return name


class RegistrySettings(Section):
    """The block `tracking.registry`."""

    name: Annotated[
        str, FROM_NUMBER, Field(min_length=1), AfterValidator(_with_known_placeholders)
    ]  # of the registered model, may hold {data}
    margin: Annotated[float, Field(ge=0, lt=1)]  # of validation accuracy, a fraction


class TrackingSettings(Section):
    """The block `tracking`."""

    enabled: bool
    experiment: _Experiment
    run: _Run
    register_models: Annotated[bool, Field(alias="register")]  # BaseModel has a `register` of its own
    registry: RegistrySettings
    onnx: bool  # whether each trained model is recorded as an ONNX file, too


class Settings(Section):
    """All of mlflow.yml."""

    server: _Server
    tracking: TrackingSettings


def read_settings(config_loader: Any) -> Settings:
    """The settings of mlflow.yml, whose block `tracking` the run's parameters may override.

    Raises:
        UserError: if a key or value is invalid, or if ONNX files are to be recorded without the package onnx.
    """
    values = config_loader["mlflow"]
    override = {"tracking": config_loader["parameters"].get("tracking", {})}
    try:
        settings = Settings.model_validate(OmegaConf.to_container(OmegaConf.merge(values, override)))
    except ValidationError as error:
        raise UserError(f"{mistakes(error, 'setting', Settings)}. See conf/base/mlflow.yml.") from None
    if settings.tracking.onnx and not find_spec("onnx"):
        raise UserError("tracking.onnx needs the package onnx; pip install -c requirements.lock -e '.[onnx]'.")
    return settings


def registered_name(template: str, data: str) -> str:
    """The name of the registered model for a data set, without the characters that MLflow refuses."""
    return re.sub("[/:]", "-", template.replace("{data}", data))
