"""Every parameter and setting with a value that it may not have, made from the classes that say what it may."""

import math
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic import BaseModel

from mnist_lstm.parameters import Parameters
from mnist_lstm.tracking.settings import Settings
from tests.bad_input import Change, Mistake, each, write
from tests.bad_input.functions import parameters
from tests.support.projects import Project

LIMITS = {"minimum": -1, "exclusiveMinimum": 0, "maximum": 1, "exclusiveMaximum": 0}  # and what to add to be outside
WRONG_TYPES: dict[str, Any] = {"string": 3.5, "integer": "many", "number": "much", "boolean": "perhaps"}


Schema = dict[str, Any]


def leaves(schema: Schema, root: Schema, prefix: str = "") -> Iterator[tuple[str, list[Schema]]]:
    """Each key below a JSON schema, with dots, and the schemas of what may stand there."""
    for name, field in schema["properties"].items():
        if "$ref" in field:
            below = root["$defs"][field["$ref"].rpartition("/")[2]]
            yield from leaves(below, root, f"{prefix}{name}.")
        else:
            yield prefix + name, field.get("anyOf", [field])


def wrong_values(choices: list[Schema]) -> dict[str, Any]:
    """What is wrong, and such a value, for a key that may be one of `choices`."""
    *_, kind = (choice for choice in choices if choice["type"] != "null")
    found = {"of a wrong type": WRONG_TYPES[kind["type"]]}
    if {"type": "null"} not in choices:
        found["null"] = None
    if "enum" in kind:
        found["no such choice"] = kind["enum"][0].upper() + "x"
    if kind["type"] == "number":
        found["nan"] = math.nan
    outside = {f"outside {limit}": kind[limit] + step for limit, step in LIMITS.items() if limit in kind}
    return found | outside


def nested(key: str, value: Any) -> dict[str, Any]:
    """A value below its key: {'model': {'cell': 'gru'}}."""
    for name in reversed(key.split(".")):
        value = {name: value}
    return value  # type: ignore[no-any-return]


def set_to(key: str, value: Any) -> Change:
    """Sets a parameter by conf/local, on one thread as all tests do."""
    return write("conf/local/parameters.yml", yaml.safe_dump(nested(key, value)))


def without(file: str, key: str) -> Change:
    """Takes a key out of a file of conf/base."""

    def taken_out(project: Project) -> None:
        values = yaml.safe_load((project.path / file).read_text())
        *blocks, name = key.split(".")
        block = values
        for part in blocks:
            block = block[part]
        del block[name]
        write(file, yaml.safe_dump(values))(project)
        (project.path / "conf/local/parameters.yml").unlink()

    return taken_out


def table(root: type[BaseModel], file: str, only: str = "") -> dict[str, Mistake]:
    """Each key of `root` with wrong values, mistyped, and missing."""
    schema, found = root.model_json_schema(), {}
    for key, choices in leaves(schema, schema):
        found[f"{key} is missing"] = Mistake((f"'{key}' is missing", file), change=without(file, key))
        if key.startswith(only):
            found |= {
                f"{key} is {what}": Mistake((f"'{key}'", f"not {value!r}", file), change=set_to(key, value))
                for what, value in wrong_values(choices).items()
            }
            mistyped = f"{key}x"
            names = (f"'{mistyped}' is unknown", "did you mean", file)
            found[f"{mistyped} is unknown"] = Mistake(names, change=set_to(mistyped, 1))
    return found


VALUES = each(
    table(Parameters, "conf/base/parameters.yml") | table(Settings, "conf/base/mlflow.yml", only="tracking."),
    parameters,
)
