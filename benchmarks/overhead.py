"""What `kedro run` adds: its seconds and memory compared with two scripts.

`same_work.py` calls the same stages one after another, draws the same figures and records with MLflow; `bare.py` is an
ordinary torch script that trains and tests, and does no more. Each is a process of its own, in turns, in a copy of the
project in a temporary folder. The first round there fetches the data and makes the MLflow stores, and is not counted.
"""

import argparse
import re
import shutil
import sqlite3
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import NamedTuple

from measuring import Run, machine, process, row

PROJECT = Path(__file__).parents[1]
SCRIPTS = {name: Path(__file__).with_name(f"{name}.py") for name in ("bare", "same_work")}
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
        turn(project, options.mirror)
        rounds = []
        for number in range(options.rounds):
            rounds.append(turn(project, options.mirror, backwards=bool(number % 2)))
            times = ", ".join(f"{name} {whole.run.seconds:.1f} s" for name, whole in rounds[-1].items())
            print(f"round {number + 1} of {options.rounds}: {times}", flush=True)
    print("\n".join(report(rounds)))


def copied(project: Path) -> Path:
    """The project without its data, its runs and its git history."""
    project.mkdir()
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(PROJECT / name, project)
    for name in ("conf", "src"):
        shutil.copytree(PROJECT / name, project / name, ignore=shutil.ignore_patterns("local", "__pycache__"))
    (project / "conf/local").mkdir()  # Kedro expects it; the user's own may hold credentials
    return project


def turn(project: Path, mirror: str | None, backwards: bool = False) -> dict[str, Whole]:
    """One run of each, by name; `kedro run` first unless backwards."""
    ways = {"kedro run": partial(run_kedro, project, mirror)}
    ways |= {name: partial(run_script, project, script) for name, script in SCRIPTS.items()}
    done = {name: ways[name]() for name in (reversed(ways) if backwards else ways)}
    return {name: done[name] for name in ways}


def run_script(project: Path, script: Path) -> Whole:
    """A script; its own clock starts with its first line."""
    run = process(project, sys.executable, str(script), "data/01_raw/mnist")
    point = re.search(rf"^update {FIRST_POINT} .*after (\S+) s$", run.output, re.MULTILINE)
    return Whole(run, float(point[1]) if point else float("nan"))


def run_kedro(project: Path, mirror: str | None) -> Whole:
    """The complete pipeline; MLflow's record has the time of the first point of the curves."""
    override = "data.on_unreachable=fail" + (f",data.mirror={mirror}" if mirror else "")
    run = process(project, sys.executable, "-m", "kedro", "run", "--params", override)
    with sqlite3.connect(project / "mlflow.db") as store:
        query = "SELECT MIN(timestamp) FROM metrics WHERE key = 'train/loss' AND step = ? AND timestamp >= ?"
        (milliseconds,) = store.execute(query, (FIRST_POINT, run.started * 1000)).fetchone()
    return Whole(run, milliseconds / 1000 - run.started)


def report(rounds: list[dict[str, Whole]]) -> list[str]:
    """The table and its legend."""
    lines = [f"\n{'':32}{'median':>9}{'min':>9}{'max':>9}"]
    for unit, of in {
        "s": lambda whole: whole.run.seconds,
        "s to update 10": lambda whole: whole.first_point,
        "MB at the peak": lambda whole: whole.run.megabytes,
    }.items():
        lines += [row(f"{name}, {unit}", [of(each[name]) for each in rounds]) for name in rounds[0]]
    for name in SCRIPTS:
        ratios = [each["kedro run"].run.seconds / each[name].run.seconds for each in rounds]
        lines.append(row(f"kedro run / {name}, seconds", ratios))
    return [
        *lines,
        "",
        "Update 10 is the first point of the curves: for the scripts when it is printed, by their own clocks; for",
        "kedro run when MLflow gets it, after the first checkpoint is saved, from the start of the process.",
        "kedro run also checks and hashes the data, saves every stage and a checkpoint a second, writes the report and",
        "exports the model for Kedro's users too; same_work does not, and bare only trains and tests.",
        *machine([whole.run for each in rounds for whole in each.values()]),
    ]


if __name__ == "__main__":
    main()
