"""The files of conf/: which of them is damaged, where Kedro only says that something is."""

from collections.abc import Iterable
from pathlib import Path

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mnist_lstm.errors import UserError

SUFFIXES = (".yml", ".yaml")


def fault(source: Path, environments: Iterable[str]) -> UserError | None:
    """The first file that is not YAML with a key for each value, as a sentence; None where all are.

    Args:
        source: the folder conf/.
        environments: the folders in it that count.
    """
    for environment in environments:
        for path in sorted((source / environment).rglob("*")):
            if path.suffix in SUFFIXES and (found := _found(path)):
                return UserError(f"{path} must be a YAML file in UTF-8 of keys and values, found {found}; mend it.")
    return None


def _found(path: Path) -> str | None:
    """What is wrong with a file, in words."""
    try:
        loaded = OmegaConf.load(path)
    except (yaml.YAMLError, UnicodeDecodeError, OSError, OmegaConfBaseException) as error:
        return " ".join(str(error).split())
    return None if OmegaConf.is_dict(loaded) else "a list"
