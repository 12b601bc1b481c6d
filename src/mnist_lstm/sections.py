"""Blocks of settings as pydantic classes: their keys, the roles of their fields, and sentences for mistakes in them."""

from difflib import get_close_matches
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

NOT_NULL = "any value"  # of a role's `only_with`
SIMILAR, SIMILAR_ELSEWHERE = 0.6, 0.75  # fraction of a mistyped key that must match, in its block and in others


class Role(NamedTuple):
    """What a parameter means outside of the code that reads it; stands in the field's annotation."""

    decides_weights: bool = True  # whether another value may give other weights, so that it is part of the fingerprint
    # Key and value of the one parameter with which this one has an effect; NOT_NULL for any value
    only_with: tuple[str, Any] | None = None
    # Of a parameter that came after version 0.1, the value with which runs train as before it
    neutral: tuple[Any, ...] = ()
    hashed_as: str | None = None  # the key in the fingerprint, if that is not the current key
    # How a run's name shows it: in the label, if it departs from the usual value, or never
    named: Literal["label", "departure", "never"] = "departure"
    or_null: bool = False  # whether null means that another parameter holds the value, which the name then shows
    transient: bool = False  # whether it concerns this run and machine alone: no part of a study or preset

    def has_effect(self, given: dict[str, Any]) -> bool:
        """Whether the other parameters, flat, let this one have an effect."""
        if self.only_with is None:
            return True
        key, needed = self.only_with
        found = given.get(key)
        return found not in (None, "None") if needed == NOT_NULL else bool(found == needed)  # MLflow has text alone


TRANSIENT = Role(decides_weights=False, named="never", transient=True)


class Section(BaseModel):
    """A block of settings: every key known, every value of its type, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def flat_fields(section: type[BaseModel], prefix: str = "") -> dict[str, FieldInfo]:
    """Every field below a section, by its key with dots: 'model.hidden_size'."""
    fields: dict[str, FieldInfo] = {}
    for name, field in section.model_fields.items():
        below = field.annotation
        if isinstance(below, type) and issubclass(below, BaseModel):
            fields |= flat_fields(below, f"{prefix}{name}.")
        else:
            fields[prefix + (field.alias or name)] = field
    return fields


def roles(section: type[BaseModel]) -> dict[str, Role]:
    """The role of every field below a section, by its key with dots."""
    return {
        key: next((each for each in field.metadata if isinstance(each, Role)), Role())
        for key, field in flat_fields(section).items()
    }


def flattened(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values as one level with dots: {'model': {'hidden_size': 128}} to {'model.hidden_size': 128}."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= flattened(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat


def changed(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy of nested values with changes: keys may have dots, as {"model.hidden_size": 64}, and blocks are merged."""
    result = dict(values)
    for key, value in changes.items():
        head, _, rest = str(key).partition(".")
        block, change = result.get(head), {rest: value} if rest else value
        result[head] = changed(block if isinstance(block, dict) else {}, change) if isinstance(change, dict) else change
    return result


def mistakes(error: ValidationError, noun: str, root: type[BaseModel]) -> str:
    """All mistakes in values of class `root` in one line, each with its key; `noun` says what the keys are."""
    return "; ".join(f"{noun} {_sentence(mistake, root)}" for mistake in error.errors())


def _sentence(mistake: Any, root: type[BaseModel]) -> str:
    key = ".".join(map(str, mistake["loc"]))
    if mistake["type"] == "extra_forbidden":
        return f"{key!r} is unknown{_nearest_key(mistake['loc'], root)}"
    if mistake["type"] == "missing":
        return f"{key!r} is missing"
    if mistake["type"] == "value_error":  # of several keys, which it names itself
        return str(mistake["ctx"]["error"])
    if mistake["type"] == "model_type":
        return f"{key!r} must be a block of keys, not {mistake['input']!r}"
    meaning = mistake["msg"].removeprefix("Input ")
    return f"{key!r} {meaning}, not {mistake['input']!r}"


def _nearest_key(loc: tuple[str | int, ...], root: type[BaseModel]) -> str:
    """A hint at the key of `root` most like the one at `loc`, in its own block first."""
    *block, name = map(str, loc)
    keys = [*root.model_fields, *flat_fields(root)]
    siblings = [key for key in keys if key.rpartition(".")[0] == ".".join(block)]
    for known, cutoff in ((siblings, SIMILAR), (keys, SIMILAR_ELSEWHERE)):
        names = [key.rpartition(".")[2] for key in known]
        if matches := get_close_matches(name, names, n=1, cutoff=cutoff):
            meant = (repr(key) for key, own in zip(known, names, strict=True) if own == matches[0])
            return f" (did you mean {' or '.join(dict.fromkeys(meant))}?)"
    return ""
