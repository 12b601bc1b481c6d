"""The pipelines by name: `kedro run` runs all stages, `kedro run --pipelines evaluate` one."""

from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from threading import RLock
from typing import Any

from kedro.pipeline import Pipeline

CREATION = RLock()  # requests of `kedro server` may use a pipeline for the first time at once
STAGES = ("ingest", "reshape", "train", "evaluate", "report")


class LazyPipeline(Pipeline):
    """A pipeline that is created at its first use, not when it is registered.

    Its nodes import torch, pandas and matplotlib, which commands that only list the pipelines do not need.
    """

    def __init__(self, create: Callable[[], Pipeline]):
        self._create = create

    def __getattr__(self, name: str) -> Any:
        """Creates the pipeline: Python calls this for missing attributes, which Pipeline's __init__ would set."""
        with CREATION:
            if "_create" in vars(self):
                vars(self).update(vars(self._create()))
                del self._create
        if name not in vars(self):
            raise AttributeError(f"a pipeline has no attribute {name!r}")
        return vars(self)[name]


def register_pipelines() -> dict[str, Pipeline]:
    """Each stage; `__default__`: all of them; `without_figures`; and `predict`, for a user's images."""
    stages: dict[str, Pipeline] = {name: LazyPipeline(partial(_stage, name)) for name in (*STAGES, "predict")}
    return stages | {
        "__default__": LazyPipeline(partial(_stages, STAGES)),
        "without_figures": LazyPipeline(partial(_stages, STAGES[:-1])),
    }


def _stage(name: str) -> Pipeline:
    """The stage in a namespace of its name: one box in Kedro-Viz. Its nodes are called `train.export` and so on."""
    created = import_module(f"mnist_lstm.pipelines.{name}.pipeline").create_pipeline()
    return Pipeline(created, namespace=name, prefix_datasets_with_namespace=False)


def _stages(names: Iterable[str]) -> Pipeline:
    return sum((_stage(name) for name in names), Pipeline([]))
