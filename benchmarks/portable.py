"""What a complete update takes by the kernel, and by torch's layer, in one process and in turns.

All have the optimiser, gradients and loss of the pipeline; images and labels are made, and so are the weights.
"""

import argparse
import contextlib
import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
import yaml
from gemm import gflop_of_an_update, limit
from measuring import machine, row

from mnist_lstm.core.model.classifier import WHITE, new_classifier
from mnist_lstm.core.training.allocator import reused_buffers
from mnist_lstm.core.training.arithmetic import ARITHMETICS
from mnist_lstm.core.training.compute import threads
from mnist_lstm.core.training.learner import Learner
from mnist_lstm.parameters import TRAINED_BY_KERNEL, checked

BASE = Path(__file__).parents[1] / "conf" / "base" / "parameters.yml"
CLASSES, UPDATES = 10, 4
SPIN = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"
# Images of a batch, time steps, features and units, with the name that is printed
SIZES = {
    "rows, batch 128, 128 units": (128, 28, 28, 128),
    "rows, batch 1,024": (1024, 28, 28, 128),
    "rows, 256 units": (128, 28, 28, 256),
    "784 steps, batch 64": (64, 784, 1, 128),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precisions", nargs="+", choices=[*ARITHMETICS], default=["float32", "portable"])
    cells = TRAINED_BY_KERNEL["model.cell"]
    parser.add_argument("--cells", nargs="+", choices=cells, default=cells)
    parser.add_argument("--cpu", action="store_true", help="CPU time, for one thread on a busy machine")
    parser.add_argument("--busy", type=int, default=0, help="how many processes compute meanwhile")
    options = parser.parse_args()
    most = limit(options.threads)
    clock = time.process_time if options.cpu else time.perf_counter
    print(f"{'':32}{'median':>9}{'min':>9}{'max':>9}")
    for cell, (name, sizes) in itertools.product(options.cells, SIZES.items()):
        with reused_buffers(), threads(options.threads), busy(options.busy):
            learners = [updates(clock, precision, cell, *sizes) for precision in options.precisions]
            rounds = [[update() for update in learners] for _ in range(options.rounds + 1)][1:]  # the first prepares
        print(f"{cell}, {name}")
        times = dict(zip(options.precisions, zip(*rounds, strict=True), strict=True))
        for precision, taken in times.items():
            print(row(f"  {precision}, ms", taken))
        for one, other in itertools.combinations(times, 2):
            print(row(f"  {one} / {other}", [a / b for a, b in zip(times[one], times[other], strict=True)]))
        if cell == "lstm":  # the only one whose operations are counted
            for precision, taken in times.items():
                rates = [gflop_of_an_update(*sizes) / milliseconds * 1000 for milliseconds in taken]
                print(row(f"  {precision}, share of limit", [rate / most for rate in rates]))
    print(f"Limit: {most:.0f} GFLOP/s in float32 of multiplications in registers alone, on {options.threads} threads.")
    print(*machine(), sep="\n")


@contextlib.contextmanager
def busy(processes: int) -> Iterator[None]:
    """While this lasts, as many processes keep a core busy each; they end with this one, too."""
    others = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(processes)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def updates(
    clock: Callable[[], float], precision: str, cell: str, batch: int, steps: int, features: int, units: int
) -> Callable[[], float]:
    """A function that makes some updates in a precision and says how many milliseconds one took."""
    arithmetic = ARITHMETICS[precision]
    parameters = checked(yaml.safe_load(BASE.read_text()))
    training = parameters.training.model_copy(update={"precision": precision, "batch_size": batch})
    model = parameters.model.model_copy(update={"cell": cell, "hidden_size": units})
    classifier = new_classifier(model, (steps, features), CLASSES, seed=1, portable=arithmetic.by_kernel)
    learner = Learner(classifier, training, total=10**6)
    inputs = torch.randint(0, WHITE + 1, (batch, steps, features), dtype=torch.uint8)
    targets = torch.randint(0, CLASSES, (batch,))

    def measured() -> float:
        with arithmetic.layers(classifier, torch.device("cpu")):
            start = clock()
            for update in range(UPDATES):
                learner.learn(inputs, targets, update)
            return (clock() - start) / UPDATES * 1000

    return measured


if __name__ == "__main__":
    main()
