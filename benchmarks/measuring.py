"""A process of its own for everything measured: what it took, and the machine it ran on."""

import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import psutil

NOT_INHERITED = ("KEDRO_ENV", "KEDRO_LOGGING_CONFIG", "MLFLOW_TRACKING_URI", "PYTHONPATH")
PACKAGES = ("torch", "kedro", "mlflow", "numpy")


class Run(NamedTuple):
    """One process, from its start.

    Attributes:
        seconds: to its end.
        megabytes: its peak of resident memory, in MB of 1e6 bytes.
        others: fraction of the processors' time that other processes took meanwhile.
        output: what it printed.
        started: seconds since 1970.
    """

    seconds: float
    megabytes: float
    others: float
    output: str
    started: float


def process(folder: Path, *command: str) -> Run:
    """Runs a command in `folder`, and stops with what it printed if it fails."""
    environment = {key: value for key, value in os.environ.items() if key not in NOT_INHERITED}
    with tempfile.TemporaryFile("w+") as output:
        busy, started, clock = busy_seconds(), time.time(), time.perf_counter()
        child = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT, env=environment)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - clock
        child.returncode = os.waitstatus_to_exitcode(status)  # so that Popen does not wait for it again
        others = max(0.0, busy_seconds() - busy - usage.ru_utime - usage.ru_stime) / (seconds * (os.cpu_count() or 1))
        output.seek(0)
        text = output.read()
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} must succeed, found exit code {child.returncode}:\n{text[-3000:]}")
    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, else kibibytes
    return Run(seconds, usage.ru_maxrss * unit / 1e6, others, text, started)


def busy_seconds() -> float:
    """Processor seconds that all processes of the machine have used."""
    times = psutil.cpu_times()
    return float(times.user + times.system)


def row(name: str, values: list[float]) -> str:
    """A line of a table: median, least and greatest."""
    digits = 0 if min(values) > 100 else 2
    return f"{name:32}" + "".join(
        f"{value:9.{digits}f}" for value in (statistics.median(values), min(values), max(values))
    )


def machine(runs: list[Run] | None = None) -> list[str]:
    """Where this was measured, and how busy it was with other things meanwhile."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    place = [f"Machine: {os.cpu_count()} cores, {processor()}; Python {platform.python_version()}, {versions}."]
    if not runs:
        return place
    others = statistics.median(run.others for run in runs)
    return [*place, f"Other processes took {others:.0%} of the processors' time (median of the runs)."]


def processor() -> str:
    """The processor's name."""
    information = Path("/proc/cpuinfo")
    text = information.read_text() if information.is_file() else ""
    found = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return found[1] if found else platform.processor() or platform.machine()
