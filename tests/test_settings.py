import pytest
from kedro.framework.hooks.manager import _create_hook_manager

from mnist_lstm import settings
from mnist_lstm.settings import HOOKS

ORDER = {"CheckParameters": 0, "CheckRunner": 0, "CheckDiskSpace": 0, "Tracking": 1, "Console": 2, "TrialHook": 3}
SHARED = (
    "after_context_created",
    "after_catalog_created",
    "before_pipeline_run",
    "before_node_run",
    "after_dataset_loaded",
    "after_dataset_saved",
    "after_pipeline_run",
    "on_pipeline_error",
)


@pytest.mark.parametrize("name", SHARED)
def test_checks_come_before_recording_and_the_console_in_whatever_order_hooks_are_listed(name: str) -> None:
    for hooks in (HOOKS, HOOKS[::-1]):  # each pair in both orders, which decides the order of the two
        manager = _create_hook_manager()
        for hook in hooks:
            manager.register(hook)
        calls = [type(call.plugin).__name__ for call in reversed(getattr(manager.hook, name).get_hookimpls())]
        assert calls == sorted(calls, key=ORDER.__getitem__)


def test_hooks_of_kedro_mlflow_are_disabled_by_the_name_of_its_package_which_would_read_our_mlflow_yml() -> None:
    assert settings.DISABLE_HOOKS_FOR_PLUGINS == ("kedro_mlflow",)
