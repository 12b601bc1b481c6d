"""What this project adds to a bare torch script: seconds and memory of `kedro run` beside those of `bare.py`.

Both run as processes of their own, in turns, in a copy of the project in a temporary folder. The first `kedro run`
there fetches the data and makes the MLflow store, and is not counted.
"""

import argparse
import os
import platform
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import psutil

PROJECT = Path(__file__).parents[1]
BARE = Path(__file__).with_name("bare.py")
PACKAGES = ("torch", "kedro", "mlflow", "numpy")
FIRST_POINT = 10  # both log at every tenth update
NOT_INHERITED = ("KEDRO_ENV", "KEDRO_LOGGING_CONFIG", "MLFLOW_TRACKING_URI", "PYTHONPATH")


class Run(NamedTuple):
    """One process, from its start.

    Attributes:
        seconds: to its end.
        first_point: seconds to the first point of the curves, at update 10.
        megabytes: its peak of resident memory, in MB of 1e6 bytes.
        others: fraction of the processors' time that other processes took meanwhile.
    """

    seconds: float
    first_point: float
    megabytes: float
    others: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mirror", help="URL of a folder with MNIST's four files, e.g. file:///data/mnist")
    parser.add_argument("--rounds", type=int, default=5, help="counted runs of each (default: 5)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mnist_lstm-benchmark-") as folder:
        project = copied(Path(folder) / "project")
        run_kedro(project, options.mirror)
        pairs = [measured(project, options.mirror, turn, options.rounds) for turn in range(options.rounds)]
    print("\n".join(report(pairs)))


def copied(project: Path) -> Path:
    """The project without its data, its runs and its git history."""
    project.mkdir()
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(PROJECT / name, project)
    for name in ("conf", "src"):
        shutil.copytree(PROJECT / name, project / name, ignore=shutil.ignore_patterns("local", "__pycache__"))
    (project / "conf/local").mkdir()  # Kedro expects it; the user's own may hold credentials
    return project


def measured(project: Path, mirror: str | None, turn: int, rounds: int) -> tuple[Run, Run]:
    """One run of each, bare first in every second round."""
    if turn % 2:
        kedro, bare = run_kedro(project, mirror), run_bare(project)
    else:
        bare, kedro = run_bare(project), run_kedro(project, mirror)
    print(f"round {turn + 1} of {rounds}: bare {bare.seconds:.1f} s, kedro run {kedro.seconds:.1f} s", flush=True)
    return bare, kedro


def run_bare(project: Path) -> Run:
    """The script; its own clock starts with its first line."""
    run, output, _ = process(project, str(BARE), "data/01_raw/mnist")
    point = re.search(rf"^update {FIRST_POINT} .* after (\S+) s$", output, re.MULTILINE)
    return run._replace(first_point=float(point[1]) if point else float("nan"))


def run_kedro(project: Path, mirror: str | None) -> Run:
    """The whole pipeline; MLflow's record tells when it got the first point of the curves."""
    override = "data.on_unreachable=fail" + (f",data.mirror={mirror}" if mirror else "")
    run, _, started = process(project, "-m", "kedro", "run", "--params", override)
    with sqlite3.connect(project / "mlflow.db") as store:
        query = "SELECT MIN(timestamp) FROM metrics WHERE key = 'train/loss' AND step = ? AND timestamp >= ?"
        (milliseconds,) = store.execute(query, (FIRST_POINT, started * 1000)).fetchone()
    return run._replace(first_point=milliseconds / 1000 - started)


def process(folder: Path, *arguments: str) -> tuple[Run, str, float]:
    """Runs Python in `folder`: what it took, what it printed, and when it started in seconds since 1970."""
    environment = {key: value for key, value in os.environ.items() if key not in NOT_INHERITED}
    with tempfile.TemporaryFile("w+") as output:
        busy, started, clock = busy_seconds(), time.time(), time.perf_counter()
        child = subprocess.Popen(
            [sys.executable, *arguments], cwd=folder, stdout=output, stderr=subprocess.STDOUT, env=environment
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - clock
        child.returncode = os.waitstatus_to_exitcode(status)  # so that Popen does not wait for it again
        others = max(0.0, busy_seconds() - busy - usage.ru_utime - usage.ru_stime) / (seconds * (os.cpu_count() or 1))
        output.seek(0)
        text = output.read()
    if child.returncode:
        raise SystemExit(f"{' '.join(arguments)} must succeed, found exit code {child.returncode}:\n{text[-3000:]}")
    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, else kibibytes
    return Run(seconds, float("nan"), usage.ru_maxrss * unit / 1e6, others), text, started


def busy_seconds() -> float:
    """Processor seconds that all processes of the machine have used."""
    times = psutil.cpu_times()
    return float(times.user + times.system)


def report(pairs: list[tuple[Run, Run]]) -> list[str]:
    """The table, and what one must know to read it."""
    lines = [f"\n{'':32}{'median':>9}{'min':>9}{'max':>9}"]
    for unit, field in (("s", "seconds"), ("s to update 10", "first_point"), ("MB at the peak", "megabytes")):
        for index, name in enumerate(("bare", "kedro run")):
            lines.append(row(f"{name}, {unit}", [getattr(pair[index], field) for pair in pairs]))
    lines.append(row("kedro run / bare, seconds", [kedro.seconds / bare.seconds for bare, kedro in pairs]))
    others = statistics.median(run.others for pair in pairs for run in pair)
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    return [
        *lines,
        "",
        "Update 10 is the first point of the curves: for bare when it is printed, by the script's own clock; for",
        "kedro run when MLflow gets it, after the first checkpoint is saved, from the start of the process.",
        "kedro run also checks and hashes the data, validates, exports, draws and records; bare does not.",
        f"Machine: {os.cpu_count()} cores, {processor()}; Python {platform.python_version()}, {versions}.",
        f"Other processes took {others:.0%} of the processors' time (median of the runs).",
    ]


def row(name: str, values: list[float]) -> str:
    digits = 0 if min(values) > 100 else 2
    return f"{name:32}" + "".join(
        f"{value:9.{digits}f}" for value in (statistics.median(values), min(values), max(values))
    )


def processor() -> str:
    information = Path("/proc/cpuinfo")
    text = information.read_text() if information.is_file() else ""
    found = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return found[1] if found else platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
