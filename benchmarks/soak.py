"""Many runs in one store, one after the other and at once: does anything grow or get lost?

`python benchmarks/soak.py` makes 50 short runs on the bundled digits in a folder of their own, each in a process of its
own, then 50 in one process, then 8 at once. It prints memory, open files and start-up time of the first and last ten.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from tests.support.projects import DIGITS, KEDRO, Project, copied, surroundings  # noqa: E402  it is found only now

WORDS = ["--params", DIGITS, "--pipelines", "without_figures"]
PART = 10  # runs at either end that are compared
AT_ONCE = 8


def in_a_process(project: Project) -> tuple[float, float]:
    """Seconds of the processor before the first node, and MiB at the peak, of one run."""
    command = ["/usr/bin/env", "python", "-c", MEASURED, *WORDS]
    done = subprocess.run(command, cwd=project.path, env=surroundings(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    seconds, memory = done.stdout.splitlines()[-1].split()
    return float(seconds), float(memory)


# Runs `kedro run`, and prints when its first node began and how much memory it took
MEASURED = """
import resource, sys, time
from kedro.runner.task import Task
real, began = Task.execute, []
def execute(task):
    began.append(time.process_time())
    return real(task)
Task.execute = execute
words = sys.argv[1:]
sys.argv = ["kedro", "run", *words]
from kedro.framework.cli import main
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
print(began[0], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def one_after_the_other(project: Project, count: int) -> None:
    """Processes of their own."""
    found = [in_a_process(project) for _ in range(count)]
    for name, values in zip(
        ("start-up, s of the processor", "memory at the peak, MiB"), zip(*found, strict=True), strict=True
    ):
        print_change(f"{count} processes: {name}", list(values))


def in_one_process(project: Project, count: int) -> None:
    """One process: what it holds after each run."""
    import psutil

    me, memory, files = psutil.Process(), [], []
    for _ in range(count):
        done = project.invoke(*WORDS)
        assert done.exit_code == 0, done.output
        memory.append(me.memory_info().rss / 2**20)
        files.append(float(me.num_fds()))
    print_change(f"{count} in one process: memory, MiB", memory)
    print_change(f"{count} in one process: open files", files)


def at_once(project: Project) -> None:
    """Runs that start at the same moment."""
    words = [["--params", f"{DIGITS},training.seed={seed}", *WORDS[2:]] for seed in range(AT_ONCE)]
    before = len(project.runs())
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = [
        subprocess.Popen([KEDRO, "run", *each], cwd=project.path, env=surroundings(), **silent)  # type: ignore[call-overload]
        for each in words
    ]
    codes = [process.wait() for process in started]
    new = project.runs()[: len(project.runs()) - before]
    finished = [run for run in new if run.info.status == "FINISHED" and "test/accuracy" in run.data.metrics]
    print(f"{AT_ONCE} at once: exit codes {codes}; {len(finished)} completely recorded")


def print_change(name: str, values: list[float]) -> None:
    """Prints the medians of the first and last ten."""
    first, last = (statistics.median(part) for part in (values[:PART], values[-PART:]))
    print(f"{name}: first {PART} {first:.2f}, last {PART} {last:.2f}, ratio {last / first:.3f}", flush=True)


def main() -> None:
    """Makes the runs that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    count = parser.parse_args().runs
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        project, started = copied(Path(folder)), time.monotonic()
        one_after_the_other(project, count)
        in_one_process(project, count)
        at_once(project)
        print(f"{len(project.runs())} runs in one store, {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
