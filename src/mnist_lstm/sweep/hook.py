"""The hook by which trials of a sweep differ from `kedro run`: prepared inputs, and a callback for the curves."""

from collections.abc import Callable
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import MemoryDataset


class TrialHook:
    """Does nothing unless a sweep's worker sets an attribute.

    Attributes:
        inputs: by catalog entry, data that the next run takes instead of reading files.
        on_history: called with the curves so far whenever they are saved; may raise RunStopped.
    """

    def __init__(self) -> None:
        self.inputs: dict[str, Any] = {}
        self.on_history: Callable[[Any], None] | None = None

    @hook_impl(trylast=True)
    def after_catalog_created(self, catalog: Any) -> None:
        """Replaces the datasets of the inputs; MLflow records them as the catalog's metadata says."""
        for name, data in self.inputs.items():
            catalog[name] = MemoryDataset(data, copy_mode="assign", metadata=catalog[name].metadata)

    @hook_impl(trylast=True)
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Passes the curves on."""
        if dataset_name == "history" and self.on_history:
            self.on_history(data)


trial = TrialHook()
