"""What a trial of a sweep does otherwise than `kedro run`: its inputs are prepared, and its curve is watched."""

from collections.abc import Callable
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import MemoryDataset


class TrialHook:
    """Does nothing, until a sweep's worker says what to do.

    Attributes:
        inputs: datasets by name that the next run takes from here instead of from its files.
        kept: filled with what a run saves under the names that stand here.
        watch: called with the curves so far whenever they are saved; it may raise RunStopped.
    """

    def __init__(self) -> None:
        self.inputs: dict[str, Any] = {}
        self.kept: dict[str, Any] = {}
        self.watch: Callable[[Any], None] | None = None

    @hook_impl(trylast=True)
    def after_catalog_created(self, catalog: Any) -> None:
        """Hands the prepared datasets to the run, to be recorded as its catalog says."""
        for name, data in self.inputs.items():
            catalog[name] = MemoryDataset(data, copy_mode="assign", metadata=catalog[name].metadata)

    @hook_impl(trylast=True)
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Keeps what is asked for, and shows the curves."""
        if dataset_name in self.kept:
            self.kept[dataset_name] = data
        if dataset_name == "history" and self.watch:
            self.watch(data)


trial = TrialHook()
