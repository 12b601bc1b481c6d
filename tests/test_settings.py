import logging
import os
import subprocess
import sys

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


def test_a_terminal_in_ascii_gets_the_names_of_classes_as_escapes_in_what_is_printed_and_logged() -> None:
    program = """
import logging, sys, mnist_lstm.settings
print("class \\u304b")
print("class \\u304d", file=sys.stderr)
logging.getLogger("kedro").warning("class \\u304f")
"""
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=os.environ | ascii_only, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "class \\u304d\n")
    assert done.stdout.startswith("class \\u304b\n")
    assert "class \\u304f" in done.stdout


def test_kedros_advice_to_use_async_is_not_printed_as_it_would_be_refused() -> None:
    advice = "Using synchronous mode for loading and saving data. Use the --async flag for potential performance gains."
    logger = logging.getLogger("kedro.runner.sequential_runner")
    records = [logging.makeLogRecord({"msg": message}) for message in (advice, "Completed 1 of 2 tasks")]
    assert [bool(logger.filter(record)) for record in records] == [False, True]
