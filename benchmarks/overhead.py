"""What this project adds to a bare torch script: seconds and memory of `kedro run` beside those of `bare.py`.

Both run as processes of their own, in turns, in a copy of the project in a temporary folder. The first `kedro run`
there fetches the data and makes the MLflow store, and is not counted.
"""

import argparse
import re
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from measuring import Run, machine, process, row

PROJECT = Path(__file__).parents[1]
BARE = Path(__file__).with_name("bare.py")
FIRST_POINT = 10  # both log at every tenth update


class Whole(NamedTuple):
    """A run, and the seconds from its start to the first point of the curves, at update 10."""

    run: Run
    first_point: float


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


def measured(project: Path, mirror: str | None, turn: int, rounds: int) -> tuple[Whole, Whole]:
    """One run of each, bare first in every second round."""
    if turn % 2:
        kedro, bare = run_kedro(project, mirror), run_bare(project)
    else:
        bare, kedro = run_bare(project), run_kedro(project, mirror)
    print(
        f"round {turn + 1} of {rounds}: bare {bare.run.seconds:.1f} s, kedro run {kedro.run.seconds:.1f} s", flush=True
    )
    return bare, kedro


def run_bare(project: Path) -> Whole:
    """The script; its own clock starts with its first line."""
    run = process(project, sys.executable, str(BARE), "data/01_raw/mnist")
    point = re.search(rf"^update {FIRST_POINT} .* after (\S+) s$", run.output, re.MULTILINE)
    return Whole(run, float(point[1]) if point else float("nan"))


def run_kedro(project: Path, mirror: str | None) -> Whole:
    """The whole pipeline; MLflow's record tells when it got the first point of the curves."""
    override = "data.on_unreachable=fail" + (f",data.mirror={mirror}" if mirror else "")
    run = process(project, sys.executable, "-m", "kedro", "run", "--params", override)
    with sqlite3.connect(project / "mlflow.db") as store:
        query = "SELECT MIN(timestamp) FROM metrics WHERE key = 'train/loss' AND step = ? AND timestamp >= ?"
        (milliseconds,) = store.execute(query, (FIRST_POINT, run.started * 1000)).fetchone()
    return Whole(run, milliseconds / 1000 - run.started)


def report(pairs: list[tuple[Whole, Whole]]) -> list[str]:
    """The table, and what one must know to read it."""
    lines = [f"\n{'':32}{'median':>9}{'min':>9}{'max':>9}"]
    sides = list(zip(("bare", "kedro run"), zip(*pairs, strict=True), strict=True))
    lines += [row(f"{name}, s", [whole.run.seconds for whole in side]) for name, side in sides]
    lines += [row(f"{name}, s to update 10", [whole.first_point for whole in side]) for name, side in sides]
    lines += [row(f"{name}, MB at the peak", [whole.run.megabytes for whole in side]) for name, side in sides]
    lines.append(row("kedro run / bare, seconds", [kedro.run.seconds / bare.run.seconds for bare, kedro in pairs]))
    return [
        *lines,
        "",
        "Update 10 is the first point of the curves: for bare when it is printed, by the script's own clock; for",
        "kedro run when MLflow gets it, after the first checkpoint is saved, from the start of the process.",
        "kedro run also checks and hashes the data, validates, exports, draws and records; bare does not.",
        *machine([whole.run for pair in pairs for whole in pair]),
    ]


if __name__ == "__main__":
    main()
