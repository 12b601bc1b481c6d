"""Types of parameters: bounds and forms of values that several parameters have, or that pydantic does not know."""

import re
from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator
from pydantic_core import PydanticCustomError

Fraction = Annotated[float, Field(ge=0, lt=1)]
Amount = Annotated[float, Field(ge=0)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
View = Literal["rows", "columns", "rows_reversed", "rows_and_columns", "patches", "pixels", "permuted_pixels"]


def _of_form(pattern: str, meaning: str) -> AfterValidator:
    """Checks that a text has a form; `meaning` says which."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise PydanticCustomError("form", "Input should be {meaning}", {"meaning": meaning})
        return value

    return AfterValidator(check)


def _path(value: Any) -> Any:
    """Checks a path; the command line makes 7 of a folder's name 007, so numbers are refused."""
    if value is None or isinstance(value, (str, PurePath)):
        return None if value is None else str(value)
    raise PydanticCustomError("path", "Input should be a path, with ./ before a name that looks like a number")


PATH = BeforeValidator(_path)
FROM_NUMBER = BeforeValidator(lambda value: str(value) if type(value) is int else value)  # as the command line reads it
FROM_ANY_NUMBER = BeforeValidator(lambda value: str(value) if type(value) in (int, float) else value)  # for its form
SIZE = _of_form(r"[1-9]\d*x[1-9]\d*", "HEIGHTxWIDTH in pixels, for instance 28x20")
SPLIT = _of_form(
    r"auto|first|stratified|[1-9]\d*|\d+(\.\d+)?/[1-9]\d*(\.\d+)?/\d+(\.\d+)?",
    "auto, first, stratified, shares as 70/10/20, or how many first images train",
)


def _resume(value: Any) -> Any:
    """Validates a union, for which pydantic itself would report two mistakes."""
    if value is True or value is False or value in ("auto", "force"):
        return value
    raise PydanticCustomError("resume", "Input should be a valid boolean, 'auto' or 'force'")


Resume = Annotated[
    bool | Literal["auto", "force"],
    PlainValidator(_resume, json_schema_input_type=bool | Literal["auto", "force"]),
]
