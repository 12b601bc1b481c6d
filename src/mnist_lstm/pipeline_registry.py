"""The pipelines by name: `kedro run` takes them all, `kedro run --pipelines evaluate` one."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from kedro.pipeline import Pipeline

STAGES = ("ingest", "reshape", "train", "evaluate")


class Later(Pipeline):
    """A pipeline that is made when it is first looked at, not when it is registered.

    Its nodes import torch, pandas and matplotlib, for which a command that only names the pipelines need not wait.

    Args:
        make: gives the pipeline.
    """

    def __init__(self, make: Callable[[], Pipeline]):
        self._make = make

    def __getattr__(self, name: str) -> Any:
        """Python asks here for what is not there: before the pipeline is made, all that its own __init__ sets."""
        if "_make" not in vars(self):
            raise AttributeError(f"a pipeline has no attribute {name!r}")
        vars(self).update(vars(self._make()))
        del self._make
        return getattr(self, name)


def register_pipelines() -> dict[str, Pipeline]:
    """Each stage; `__default__`, all of them; `without_figures`, all but the drawing; `predict`, on a user's images."""
    stages: dict[str, Pipeline] = {name: Later(partial(_stage, name)) for name in (*STAGES, "predict")}
    return stages | {"__default__": Later(_whole), "without_figures": Later(_without_figures)}


def _stage(name: str) -> Pipeline:
    return import_module(f"mnist_lstm.pipelines.{name}").create_pipeline()  # type: ignore[no-any-return]


def _whole() -> Pipeline:
    return sum((_stage(name) for name in STAGES), Pipeline([]))


def _without_figures() -> Pipeline:
    whole = _whole()
    return whole - whole.only_nodes_with_tags("figures")
