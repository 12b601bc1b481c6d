"""Where the time of a complete `kedro run` goes, and what reproducibility and safety cost.

    python benchmarks/breakdown.py [--params data.mirror=file:///folder ...]   (options of `kedro run`)

The run happens in a copy of the project in a temporary folder, with a clock around some of its functions; each second
counts once, for the innermost.
"""

import functools
import importlib
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from measuring import machine, process
from overhead import copied

# What is timed: a name for people, and functions by module and path. Those marked + are the price of safety.
PARTS = {
    "+ checkpoints, saved atomically": ["mnist_lstm.datasets.checkpoints:CheckpointDataset.save"],
    "+ digests of the data": ["mnist_lstm.core.data.splits:digest", "mnist_lstm.core.training.fingerprint:digest"],
    "+ checksums of files read": ["mnist_lstm.datasets.download:_fault"],
    "+ flushing files to the disk": ["os:fsync"],
    "+ provenance": [
        "mnist_lstm.tracking.start:run_provenance",
        "mnist_lstm.tracking.writer:RunWriter._write_last",
    ],
    "+ runs that died": ["mnist_lstm.tracking.spool.earlier_runs:end_dead_runs"],
    "+ whether the weights are finite": ["mnist_lstm.core.training.learner:Learner.is_finite"],
    "updates": ["mnist_lstm.core.training.learner:Learner._apply_update"],
    "validation": ["mnist_lstm.core.training.loop:validated"],
    "MLflow: start, curves, metrics, files": [
        "mnist_lstm.tracking.hook:Tracking.before_pipeline_run",
        "mnist_lstm.tracking.hook:Tracking.after_dataset_saved",
        "mnist_lstm.tracking.hook:Tracking._end",
    ],
    "MLflow: the model": ["mnist_lstm.tracking.writer:RunWriter._write_model"],
    "MLflow: the registry": ["mnist_lstm.tracking.writer:RunWriter.register"],
}
HERE = "--here"  # what the benchmark calls itself with
RUNNER = "kedro.runner.runner:AbstractRunner.run"
NODE = "kedro.runner.task:Task.execute"


class Clock:
    """Seconds by part; a part that calls another does not count the other's."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inner = [0.0]

    def timed(self, function: Callable[..., Any], name: Callable[..., str]) -> Callable[..., Any]:
        """The function, with a clock around it; `name` is called as the function is."""

        @functools.wraps(function)
        def call(*args: Any, **options: Any) -> Any:
            start = time.perf_counter()
            self._inner.append(0.0)
            try:
                return function(*args, **options)
            finally:
                took = time.perf_counter() - start
                self.seconds[name(*args, **options)] += took - self._inner.pop()
                self._inner[-1] += took

        return call

    def put_around(self, place: str, name: Callable[..., str]) -> None:
        """Puts a clock around the function at `module:path`."""
        module, _, path = place.partition(":")
        *owners, attribute = path.split(".")
        owner = functools.reduce(getattr, owners, importlib.import_module(module))
        setattr(owner, attribute, self.timed(getattr(owner, attribute), name))


def main() -> None:
    """Runs the pipeline twice in a copy of the project; the first run fetches the data and is not counted."""
    if sys.argv[1:2] == [HERE]:
        measured(Path.cwd(), sys.argv[2:])
        return
    with tempfile.TemporaryDirectory(prefix="mnist_lstm-benchmark-") as folder:
        project = copied(Path(folder) / "project")
        process(project, sys.executable, "-m", "kedro", "run", *sys.argv[1:])
        subprocess.run([sys.executable, __file__, HERE, *sys.argv[1:]], cwd=project, check=True)


def measured(project: Path, options: list[str]) -> None:
    """Runs the pipeline in `project`, the current folder, and prints both tables."""
    created = psutil.Process().create_time()
    from kedro.framework.cli.cli import main as kedro

    clock = Clock()
    clock.put_around(NODE, lambda task: f"node {task.node.name}, the rest")
    clock.put_around(RUNNER, lambda *_, **__: "Kedro")
    imports = clock.timed(importlib.import_module, lambda name: "imports: torch, pandas and what nodes need")
    imports("kedro.framework.startup").bootstrap_project(project)
    for stage in ("train", "evaluate", "report"):
        imports(f"mnist_lstm.pipelines.{stage}")
    for part, places in PARTS.items():
        for place in places:
            clock.put_around(place, lambda *_, part=part, **__: part)
    sys.argv = ["kedro", "run", *options]
    with suppress(SystemExit):
        kedro()
    print("\n".join(report(dict(clock.seconds), time.time() - created)))


def report(seconds: dict[str, float], total: float) -> list[str]:
    """The two tables, longest first."""
    safety = sum(value for part, value in seconds.items() if part.startswith("+"))
    seconds["start-up of Python, Kedro and its plugins"] = total - sum(seconds.values())
    lines = [f"\n{'':44}{'seconds':>9}{'share':>8}", f"{'complete run':44}{total:9.2f}"]
    for part, value in sorted(seconds.items(), key=lambda item: -item[1]):
        lines.append(f"{part:44}{value:9.2f}{value / total:8.1%}")
    return [*lines, "", f"{'safety (all marked +)':44}{safety:9.2f}{safety / total:8.1%}", *machine()]


if __name__ == "__main__":
    main()
