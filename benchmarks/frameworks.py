"""The same network, trained on the same data by this project and by others, in turns, each in a process of its own.

Each contender's environment is made once, in `.venv-benchmarks/`. A round runs every contender once; ratios are taken
within a round, against the ordinary PyTorch script, so that what slows the machine for a while slows both.
"""

import argparse
import json
import statistics
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any, NamedTuple

from gemm import PRECISIONS, Rates, gflop_of_an_update, measured_rates
from measuring import Run, machine, process

PROJECT = Path(__file__).parents[1]
CONTENDERS = Path(__file__).with_name("contenders")
ENVIRONMENTS = {
    "tensorflow": ("tensorflow-cpu==2.21.0", "tf-keras==2.21.0"),
    "jax": ("jax==0.10.2", "optax==0.2.8"),
    "lightning": ("lightning==2.6.6", "torch==2.13.0"),
}


class Contender(NamedTuple):
    """A script in contenders/, the environment it needs (None: the project's own), and its precision."""

    name: str
    script: str
    environment: str | None = None
    precision: str = "float32"


REFERENCE = Contender("PyTorch script", "torch_script")
OURS = Contender("mnist_lstm", "this_project", precision="portable")
IN_BFLOAT16 = (
    Contender("PyTorch script, bfloat16", "torch_script", precision="bfloat16"),
    Contender("mnist_lstm, bfloat16_kernel", "this_project", precision="bfloat16_kernel"),
)
FIELD = (
    REFERENCE,
    OURS,
    Contender("mnist_lstm, float32", "this_project"),
    *(IN_BFLOAT16 if "bfloat16" in PRECISIONS else ()),
    Contender("PyTorch Lightning", "lightning_module", "lightning"),
    Contender("Keras 3 on TensorFlow", "keras_fit", "tensorflow"),
    Contender("the tutorial's TF1 graph", "tf1_graph", "tensorflow"),
    Contender("JAX", "jax_scan", "jax"),
)
SIZES = (
    ("256 units", ["--hidden", "256"], 200),
    ("batch 256", ["--batch", "256"], 300),
    ("batch 1,024", ["--batch", "1024"], 100),
    ("784 steps", ["--steps", "784"], 100),
)


class Result(NamedTuple):
    """One race of one contender."""

    run: Run
    updates_a_second: float
    first_loss: float  # seconds from the start of the process until the loss of update 10 is known
    validation_accuracy: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=PROJECT / "data/01_raw/mnist", help="with MNIST's four files")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--torch", action="store_true", help="without the contenders that need other frameworks")
    parser.add_argument("--sizes", action="store_true", help="mnist_lstm against the script at larger sizes instead")
    parser.add_argument("--figure", type=Path, help="write the ratios as a picture (.svg or .png)")
    options = parser.parse_args()
    if not (options.folder / "train-images-idx3-ubyte.gz").is_file():
        raise SystemExit(f"Error: {options.folder} must hold MNIST's files; run `make run` or give another --folder.")
    if options.sizes:
        sizes(options.folder.resolve(), options.rounds)
    else:
        field([each for each in FIELD if not (options.torch and each.environment)], options)


def field(contenders: list[Contender], options: argparse.Namespace) -> None:
    """The tutorial's training by these contenders."""
    for name in {each.environment for each in contenders if each.environment}:
        made(name)
    rates, results = measured_rates(), raced(contenders, options.folder.resolve(), options.rounds, [])
    for line in report(contenders, results, rates):
        print(line)
    if options.figure:
        from bars import draw

        draw({contender.name: ratios(results, contender) for contender in contenders}, options.figure)


def sizes(folder: Path, rounds: int) -> None:
    """This project against the ordinary script at larger sizes."""
    print(f"\n{'mnist_lstm / PyTorch script':32}{'median':>9}{'min':>9}{'max':>9}")
    for name, arguments, updates in SIZES:
        results = raced([REFERENCE, OURS], folder, rounds, [*arguments, "--updates", str(updates)], quiet=True)
        found = ratios(results, OURS)
        print(f"{name:32}{statistics.median(found):9.2f}{min(found):9.2f}{max(found):9.2f}", flush=True)


def made(environment: str) -> Path:
    """The Python of an environment, which is made if it is not there."""
    folder = PROJECT / ".venv-benchmarks" / environment
    python = folder / "bin" / "python"
    if not (folder / "installed").is_file():
        print(f"Making {folder.relative_to(PROJECT)} ...", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        quiet = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        subprocess.run([python, *quiet, *ENVIRONMENTS[environment]], check=True)
        (folder / "installed").touch()
    return python


def raced(
    contenders: list[Contender], folder: Path, rounds: int, arguments: list[str], quiet: bool = False
) -> list[dict[str, Result]]:
    """The results of every round, by contender; every second round in reverse order."""
    results = []
    for turn in range(rounds):
        order = contenders[:: -1 if turn % 2 else 1]
        results.append({contender.name: race(contender, folder, arguments) for contender in order})
        if not quiet:
            rates = ", ".join(f"{name} {result.updates_a_second:.0f}" for name, result in results[-1].items())
            print(f"round {turn + 1} of {rounds}, updates a second: {rates}", flush=True)
    return results


def race(contender: Contender, folder: Path, arguments: list[str]) -> Result:
    """Runs a contender once."""
    python = str(made(contender.environment)) if contender.environment else sys.executable
    script = str(CONTENDERS / f"{contender.script}.py")
    run = process(PROJECT, python, script, str(folder), "--precision", contender.precision, *arguments)
    printed: dict[str, Any] = json.loads(run.output.strip().splitlines()[-1])
    return Result(
        run, printed["updates_a_second"], printed["first_loss_at"] - run.started, printed["validation_accuracy"]
    )


def ratios(results: list[dict[str, Result]], contender: Contender) -> list[float]:
    """Updates a second against the reference of the same round."""
    return [turn[contender.name].updates_a_second / turn[REFERENCE.name].updates_a_second for turn in results]


def report(contenders: list[Contender], results: list[dict[str, Result]], rates: Rates) -> list[str]:
    """The table and its legend."""
    names = {"ratio": 7, "least": 7, "most": 7, "updates/s": 11, "s to loss 10": 14, "MB": 7, "valid": 8, "GEMM": 7}
    head = " " * 28 + "".join(f"{name:>{width}}" for name, width in names.items())
    lines = ["", head]
    for contender in contenders:
        found, mine = ratios(results, contender), [turn[contender.name] for turn in results]
        speed = statistics.median(result.updates_a_second for result in mine)
        share = speed * gflop_of_an_update() / rates["bfloat16" if "bfloat16" in contender.precision else "float32"]
        middle = [
            statistics.median(values)
            for values in zip(*((r.first_loss, r.run.megabytes, r.validation_accuracy) for r in mine), strict=True)
        ]
        lines.append(
            f"{contender.name:28}{statistics.median(found):7.2f}{min(found):7.2f}{max(found):7.2f}{speed:11.1f}"
            f"{middle[0]:14.1f}{middle[1]:7.0f}{middle[2]:8.3f}{share:7.0%}"
        )
    gemm = ", ".join(f"{rate:.0f} GFLOP/s {precision}" for precision, rate in rates.items())
    return [
        *lines,
        "",
        "ratio: updates a second over those of the PyTorch script in the same round; the median of the rounds.",
        "s to loss 10: from the start of the process until the loss of update 10 is known, with imports and compiling.",
        f"GEMM: share of what matrix products alone would allow here ({gemm}; {gflop_of_an_update():.2f} GFLOP an",
        "update). valid: accuracy on the 5,000 validation images after training.",
        *machine([result.run for turn in results for result in turn.values()]),
    ]


if __name__ == "__main__":
    main()
