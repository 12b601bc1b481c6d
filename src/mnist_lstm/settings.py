"""Kedro's settings: hooks, configuration, no telemetry, and no bars for files of milliseconds."""

import os

from mnist_lstm.console import Console
from mnist_lstm.preflight.config_loader import ConfigLoader
from mnist_lstm.preflight.disk_space_hook import ExpectRoom
from mnist_lstm.preflight.parameters_hook import CheckParameters
from mnist_lstm.sweep.hook import trial
from mnist_lstm.tracking.hook import Tracking

os.environ.setdefault("KEDRO_DISABLE_TELEMETRY", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

tracking = Tracking()
# pluggy calls the last first: parameters and room are checked before a run is recorded, and it is recorded before it is
# told
HOOKS = (trial, Console(tracking), tracking, ExpectRoom(), CheckParameters())
CONFIG_LOADER_CLASS = ConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "merge_strategy": {"parameters": "soft", "mlflow": "soft"},
    "config_patterns": {"mlflow": ["mlflow*"]},
}
