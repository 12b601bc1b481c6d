"""Kedro's configuration loader, which accepts the parameters' names of version 0.1."""

from pathlib import Path
from typing import Any

from kedro.config import OmegaConfigLoader
from omegaconf import OmegaConf

from mnist_lstm.renamed_parameters import with_current_names


class ConfigLoader(OmegaConfigLoader):
    """Renames old keys in each file and in --params, before Kedro merges them: afterwards, both names have a value."""

    def __init__(
        self,
        conf_source: str | Path,
        env: str | None = None,
        runtime_params: dict[str, Any] | None = None,
        **arguments: Any,
    ):
        super().__init__(conf_source, env, with_current_names(runtime_params or {}, "--params"), **arguments)

    def _merge_and_resolve(self, key: str, config_per_file: dict[Path, Any]) -> Any:
        if key == "parameters":
            config_per_file = {path: _renamed(path, config) for path, config in config_per_file.items()}
        return super()._merge_and_resolve(key, config_per_file)


def _renamed(path: Path, config: Any) -> Any:
    if not OmegaConf.is_dict(config):
        return config
    return OmegaConf.create(with_current_names(OmegaConf.to_container(config), str(path)))  # type: ignore[arg-type]
