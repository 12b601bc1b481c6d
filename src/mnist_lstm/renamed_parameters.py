"""Names of parameters in version 0.1: accepted until version 0.3, in what people write and in old records."""

import logging
from functools import cache
from typing import Any

from mnist_lstm.errors import UserError

RENAMED = {"model.readout": "model.pooling"}  # old name to current name, in the same block

logger = logging.getLogger(__name__)


def with_current_names(values: dict[str, Any], source: str | None = None) -> dict[str, Any]:
    """Parameters, nested as in YAML or flat with dots, under their current names.

    Args:
        values: anything malformed is left as it is, for validation to refuse.
        source: where people wrote them; each old name is then logged once. None for records of runs.

    Raises:
        UserError: if a parameter is given under both names.
    """
    for old, new in RENAMED.items():
        block, _, name = old.partition(".")
        below = values.get(block)
        if old in values:
            values = _renamed(values, old, new, old)
        elif isinstance(below, dict) and name in below:
            values = values | {block: _renamed(below, name, new.partition(".")[2], old)}
        else:
            continue
        if source:
            _log(old, source)
    return values


def _renamed(values: dict[str, Any], old: str, new: str, full_name: str) -> dict[str, Any]:
    if new in values:
        raise UserError(
            f"parameter {RENAMED[full_name]!r} must be given once, found its old name {full_name!r} too; remove that."
        )
    return {new if key == old else key: value for key, value in values.items()}


@cache  # Kedro reads the configuration several times
def _log(old: str, source: str) -> None:
    logger.warning(
        "parameter %r is now %r; rename it in %s (version 0.3 will refuse the old name).", old, RENAMED[old], source
    )
