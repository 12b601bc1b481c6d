"""Kedro's settings: hooks, configuration, no telemetry, and no progress bars for small files."""

import logging
import os
import sys

from mnist_lstm.console import Console
from mnist_lstm.output import make_lasting, print_warnings_of_libraries
from mnist_lstm.preflight.config_loader import ConfigLoader
from mnist_lstm.preflight.disk_space_hook import CheckDiskSpace
from mnist_lstm.preflight.parameters_hook import CheckParameters
from mnist_lstm.preflight.runner_hook import CheckRunner
from mnist_lstm.sweep.hook import trial
from mnist_lstm.tracking.hook import Tracking

make_lasting()
print_warnings_of_libraries()
for stream in (sys.stdout, sys.stderr):
    if hasattr(stream, "reconfigure"):  # an ASCII terminal gets escapes, not an error for each line of the log
        stream.reconfigure(errors="backslashreplace")
os.environ.setdefault("KEDRO_DISABLE_TELEMETRY", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# Kedro recommends --async at each run, which preflight/runner_hook.py refuses
logging.getLogger("kedro.runner.sequential_runner").addFilter(lambda record: "--async" not in record.getMessage())

checks = CheckParameters()
tracking = Tracking(checks.parameters)
# In any order: `tryfirst` and `trylast` say that checks come before recording, and recording before the console
HOOKS = (checks, CheckRunner(), CheckDiskSpace(), tracking, Console(tracking), trial)
DISABLE_HOOKS_FOR_PLUGINS = ("kedro_mlflow",)  # it would read our mlflow.yml as its own
CONFIG_LOADER_CLASS = ConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "merge_strategy": {"parameters": "soft", "mlflow": "soft"},
    "config_patterns": {"mlflow": ["mlflow*"]},
}
