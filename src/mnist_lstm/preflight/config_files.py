"""Finds the damaged file in conf/, which Kedro's own message does not name."""

from collections.abc import Iterable
from pathlib import Path

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mnist_lstm.errors import UserError

SUFFIXES = (".yml", ".yaml")


def damaged_file(source: Path, environments: Iterable[str]) -> UserError | None:
    """The error that names the first file that is not YAML with keys and values; None if all are.

    Args:
        source: the folder conf/.
        environments: the folders in it that the command reads.
    """
    for environment in environments:
        for path in sorted((source / environment).rglob("*")):
            if path.suffix in SUFFIXES and (found := _damage(path)):
                return UserError(f"{path} must be a YAML file in UTF-8 of keys and values, found {found}; mend it.")
    return None


def _damage(path: Path) -> str | None:
    try:
        loaded = OmegaConf.load(path)
    except (yaml.YAMLError, UnicodeDecodeError, OSError, OmegaConfBaseException) as error:
        return " ".join(str(error).split())
    return None if OmegaConf.is_dict(loaded) else "a list"
