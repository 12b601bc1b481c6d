"""Kedro's configuration loader, which accepts the parameters' names of version 0.1 and leaves nothing to chance."""

import os
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

from kedro.config import OmegaConfigLoader
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from mnist_lstm.errors import UserError, nearest
from mnist_lstm.parameters import Parameters
from mnist_lstm.renamed_parameters import with_current_names
from mnist_lstm.sections import changed

PATHS = (("data", "path"), ("predict", "folder"))  # of files of one's own
SUFFIXES = (".yml", ".yaml")
PACKAGE = f"{__name__.partition('.')[0]}."


class ConfigLoader(OmegaConfigLoader):
    """Renames old keys in each file and in --params, before Kedro merges them: afterwards, both names have a value.

    It reads each file once, where Kedro reads it whenever somebody looks up a value.
    """

    def __init__(
        self,
        conf_source: str | Path,
        env: str | None = None,
        runtime_params: dict[str, Any] | None = None,
        **arguments: Any,
    ):
        self._read: dict[str, dict[str, Any]] = {}
        self._own = set[str]()
        self.files: list[Path] = []  # of the parameters
        self.project: Path | None = None  # its root, from which paths are found, too
        if wild := re.search(r"[][*?]", str(conf_source)):
            raise UserError(
                f"the path of the configuration must not hold {wild[0]!r}, which Kedro takes for a pattern, found "
                f"{str(conf_source)!r}; rename the folder."
            )
        super().__init__(conf_source, env, with_current_names(_nested(runtime_params or {}), "--params"), **arguments)

    def __getitem__(self, key: str) -> dict[str, Any]:
        """The values of "parameters", "catalog" and so on; the caller may change them."""
        if key in self:  # set by somebody
            return super().__getitem__(key)
        if key not in self._read:
            self._read[key] = super().__getitem__(key)
            if key == "parameters" and self.project:
                _find_from(self.project, self._read[key])
        return deepcopy(self._read[key])

    def parameters(self) -> dict[str, Any]:
        """The parameters of this project: without the settings of MLflow, and blocks of files of one's own."""
        values = self["parameters"]
        return {block: values[block] for block in values if block != "tracking" and block not in self._own}

    def _read_dir_configs(self, conf_path: str, *rest: Any) -> Any:
        try:
            return super()._read_dir_configs(conf_path, *rest)
        except Exception:  # Kedro's errors name no file, or not what is wrong in it
            for path in sorted(Path(conf_path).rglob("*")):
                if path.suffix in SUFFIXES:
                    keys_and_values(path)
            raise

    def _merge_and_resolve(self, key: str, config_per_file: dict[Path, Any]) -> Any:
        _expect_null_or_block(config_per_file)
        if key == "catalog":
            _expect_plain_files(config_per_file)
        if key == "parameters":
            self._own |= _own_blocks(config_per_file)
            self.files += config_per_file
            config_per_file = {path: _renamed(path, config) for path, config in config_per_file.items()}
        if key in ("parameters", "mlflow"):
            config_per_file = {path: _without_empty_blocks(config) for path, config in config_per_file.items()}
        try:
            return super()._merge_and_resolve(key, config_per_file)
        except OmegaConfBaseException as error:
            found = str(error.msg).splitlines()[0]
            raise UserError(
                f"{error.full_key!r} in {', '.join(map(str, config_per_file))} must name a value of these files or of "
                f"globals.yml, found {found!r}; write the value itself, or pass it by --params."
            ) from None


def keys_and_values(path: Path) -> Any:
    """The content of a file of the configuration.

    Raises:
        UserError: if it is damaged.
    """
    try:
        loaded = OmegaConf.load(path)
        found = "" if OmegaConf.is_dict(loaded) else "a list"
    except (YAMLError, UnicodeDecodeError, OSError, OmegaConfBaseException) as error:
        found = " ".join(str(error).split())
    if found:
        raise UserError(f"{path} must be a YAML file in UTF-8 of keys and values, found {found}; mend it.") from None
    return OmegaConf.to_container(loaded)


def _own_blocks(config_per_file: dict[Path, Any]) -> set[str]:
    """The blocks of files such as parameters_mine.yml, as `kedro pipeline create` makes, but no mistyped ones."""
    files = (config for path, config in config_per_file.items() if path.stem != "parameters")
    blocks = {str(key).partition(".")[0] for config in files for key in config}
    others = blocks - {"tracking", *Parameters.model_fields}
    return {block for block in others if not nearest(block, Parameters.model_fields)}


def _find_from(project: Path, parameters: dict[str, Any]) -> None:
    """Makes paths that lie below the project's root, and not below the current folder, relative to the latter."""
    for block, key in PATHS:
        values = parameters.get(block)
        given = values.get(key) if isinstance(values, dict) else None
        if values and isinstance(given, str) and not _is_there(Path(given)) and _is_there(project / given):
            values[key] = os.path.relpath(project / given)


def _is_there(path: Path) -> bool:
    try:
        return path.expanduser().exists()
    except (OSError, RuntimeError, ValueError):  # a name too long, of no user, or with a null
        return False


def _expect_null_or_block(config_per_file: dict[Path, Any]) -> None:
    """Refuses a key that is null in one file and a block in another of a folder: the hash seed would choose."""
    nulls: dict[str, Path] = {}
    blocks: dict[str, Path] = {}
    for path, config in config_per_file.items():
        for key, value in _entries(OmegaConf.to_container(config)):
            if value is None or isinstance(value, dict):
                (nulls if value is None else blocks).setdefault(key, path)
    for key in sorted(nulls.keys() & blocks.keys()):
        raise UserError(
            f"{key!r} must be null or a block of keys, not both, found null in {nulls[key]} and a block in "
            f"{blocks[key]}; remove one of them."
        )


def _expect_plain_files(config_per_file: dict[Path, Any]) -> None:
    """Refuses Kedro's `versioned` and files on other machines, which the project's datasets do not have."""
    for path, config in config_per_file.items():
        for name, entry in cast(dict[str, Any], OmegaConf.to_container(config)).items():  # unresolved
            if not (isinstance(entry, dict) and str(entry.get("type")).startswith(PACKAGE)):
                continue
            if entry.get("versioned"):
                raise UserError(
                    f"{name!r} in {path} must not be versioned, found 'versioned: true'; remove it: MLflow records the "
                    "files of each run."
                )
            if re.match(r"(?!file:)\w+://", place := str(entry.get("filepath"))):
                raise UserError(f"'{name}.filepath' in {path} must be a local path, found {place!r}; change it.")


def _entries(values: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of nested values, with dots, and what stands there."""
    for name, value in values.items():
        yield f"{prefix}{name}", value
        if isinstance(value, dict):
            yield from _entries(value, f"{prefix}{name}.")


def _renamed(path: Path, config: Any) -> Any:
    return OmegaConf.create(with_current_names(_nested(OmegaConf.to_container(config)), str(path)))


def _without_empty_blocks(config: Any) -> Any:
    """A file without the blocks whose keys are all commented out, which would replace those of base by null."""
    for block in ("tracking", "server", *Parameters.model_fields):
        if block in config and config[block] is None:
            del config[block]
    return config


def _nested(values: Any) -> dict[str, Any]:
    """The values with blocks in place of keys with dots, as people write them in Python and YAML."""
    dotted = {key: value for key, value in values.items() if "." in str(key)}
    return changed({key: value for key, value in values.items() if key not in dotted}, dotted)
