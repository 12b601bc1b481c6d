"""What a sweep adds: a trial compared with its training and validation alone, and two workers with one.

In a copy of the project in a temporary folder, in turns: the training of each seed alone, in one process that has
imported everything and read the data; the same as trials of `kedro sweep` with one worker; and with two. Each trial has
one thread. The first sweep fetches the data and makes the MLflow store, and is not counted.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from measuring import machine, process, row
from overhead import copied


class Round(NamedTuple):
    """Seconds.

    Attributes:
        training: of one trial's training and validation alone.
        trial: from the end of a trial to that of the next, with one worker.
        one, two: from the start of the first trial to the end of the last, with one or two workers.
        complete_one, complete_two: of the complete command, with the preparation, the winner's test and the figures.
    """

    training: float
    trial: float
    one: float
    two: float
    complete_one: float
    complete_two: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mirror", help="URL of a folder with MNIST's four files, e.g. file:///data/mnist")
    parser.add_argument("--rounds", type=int, default=3, help="counted rounds (default: 3)")
    parser.add_argument("--trials", type=int, default=6, help="of each sweep (default: 6)")
    parser.add_argument("--iterations", type=int, default=799, help="updates of a trial (default: 799)")
    parser.add_argument("--train", metavar="FOLDER", help=argparse.SUPPRESS)  # what the benchmark calls itself with
    options = parser.parse_args()
    if options.train:
        print(json.dumps(trained(Path(options.train), options.trials, options.iterations)))
        return
    with tempfile.TemporaryDirectory(prefix="mnist_lstm-benchmark-") as folder:
        project = copied(Path(folder) / "project")
        sweep(project, "first", options, trials=2, workers=1)
        rounds = [measured(project, options, number) for number in range(options.rounds)]
    print("\n".join(report(rounds, options)))


def measured(project: Path, options: argparse.Namespace, number: int) -> Round:
    """One round."""
    training = statistics.median(train(project, options))
    complete_one = sweep(project, f"one-{number}", options, options.trials, workers=1)
    complete_two = sweep(project, f"two-{number}", options, options.trials, workers=2)
    one, two = times(project, f"one-{number}"), times(project, f"two-{number}")
    ends = sorted(end for _, end in one)
    trial = (ends[-1] - ends[0]) / (len(ends) - 1)
    found = Round(training, trial, span(one), span(two), complete_one, complete_two)
    print(
        f"round {number + 1} of {options.rounds}: training {training:.2f} s, trial {trial:.2f} s, "
        f"one worker {found.one:.1f} s, two {found.two:.1f} s",
        flush=True,
    )
    return found


def sweep(project: Path, name: str, options: argparse.Namespace, trials: int, workers: int) -> float:
    """Seconds of a sweep over seeds."""
    params = f"data.on_unreachable=fail,training.reuse=false,training.iterations={options.iterations}"
    params += f",data.mirror={options.mirror}" if options.mirror else ""
    words = ["--seeds", str(trials), "--workers", str(workers), "--name", name, "--params", params]
    return float(process(project, sys.executable, "-m", "kedro", "sweep", *words).seconds)


def train(project: Path, options: argparse.Namespace) -> list[float]:
    """Seconds of each training alone, in a process of its own."""
    (folder,) = (project / "data/05_model_input/sweep").iterdir()
    words = ["--train", str(folder), "--trials", str(options.trials), "--iterations", str(options.iterations)]
    done = process(project, "env", f"PYTHONPATH={project / 'src'}", sys.executable, __file__, *words)
    return list(json.loads(done.output))


def trained(folder: Path, trials: int, iterations: int) -> list[float]:
    """Trains on what the sweep has prepared in `folder`, and validates, as a trial does; nothing is saved."""
    import yaml

    from mnist_lstm.core.model.classifier import new_classifier
    from mnist_lstm.core.training.loop import fit
    from mnist_lstm.datasets.npz import NpzDataset
    from mnist_lstm.parameters import checked

    project = folder.parents[3]
    parameters = checked(yaml.safe_load((project / "conf/base/parameters.yml").read_text()))
    train, valid = [NpzDataset(filepath=str(folder / f"{part}_sequences.npz")).load() for part in ("train", "valid")]
    card = json.loads((folder / "data_card.json").read_text())
    seconds = []
    for seed in range(1, trials + 1):
        changes = {"seed": seed, "iterations": iterations, "threads": 1}
        training = parameters.training.model_copy(update=changes)
        clock = time.perf_counter()
        shape = train["sequences"].shape[1:]
        classifier = new_classifier(parameters.model, shape, len(card["class_names"]), seed)
        list(fit(classifier, train, valid, training, (card["height"], card["width"])))
        seconds.append(time.perf_counter() - clock)
    return seconds


def times(project: Path, name: str) -> list[tuple[float, float]]:
    """When each trial of a sweep started and ended, in seconds since 1970, as MLflow has it."""
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{project / 'mlflow.db'}")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    (parent,) = client.search_runs(experiments, f"tags.sweep = '{name}'")
    below = client.search_runs(experiments, f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
    trials = [run.info for run in below if not run.info.run_name.startswith("winner ")]
    return [(trial.start_time / 1000, trial.end_time / 1000) for trial in trials]


def span(trials: list[tuple[float, float]]) -> float:
    """Seconds from the first start to the last end."""
    return max(end for _, end in trials) - min(start for start, _ in trials)


def report(rounds: list[Round], options: argparse.Namespace) -> list[str]:
    """The table and its legend."""
    names = {
        "training alone, s": [found.training for found in rounds],
        "a trial, s": [found.trial for found in rounds],
        "a trial / training alone": [found.trial / found.training for found in rounds],
        "all trials, one worker, s": [found.one for found in rounds],
        "all trials, two workers, s": [found.two for found in rounds],
        "two workers / one": [found.two / found.one for found in rounds],
        "complete command, one worker, s": [found.complete_one for found in rounds],
        "complete command, two workers, s": [found.complete_two for found in rounds],
        "complete command, two / one": [found.complete_two / found.complete_one for found in rounds],
    }
    return [
        f"\n{options.trials} trials of {options.iterations} updates",
        f"{'':32}{'median':>9}{'min':>9}{'max':>9}",
        *(row(name, values) for name, values in names.items()),
        *machine(),
    ]


if __name__ == "__main__":
    main()
