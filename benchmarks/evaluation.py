"""How fast test images are classified: as `evaluate` does it, and by a bare forward pass over floats.

In one process and in turns, with the tutorial's network; its weights do not matter. The bare pass gets pixels that are
scaled already, in the memory order that it reads.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml
from measuring import machine, row

from mnist_lstm.core.model.classifier import WHITE, classify, new_classifier
from mnist_lstm.parameters import checked

BASE = Path(__file__).parents[1] / "conf" / "base" / "parameters.yml"
STEPS, FEATURES, CLASSES = 28, 28, 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    parameters = checked(yaml.safe_load(BASE.read_text()))
    torch.set_num_threads(parameters.training.threads)
    sequences = torch.randint(0, WHITE + 1, (options.images, STEPS, FEATURES), dtype=torch.uint8)
    classifier = new_classifier(parameters.model, (STEPS, FEATURES), CLASSES, seed=1).eval()
    chunks = (sequences / WHITE).split(parameters.evaluation.batch_size)

    def evaluate() -> Any:
        return classify(classifier, sequences.numpy(), parameters.evaluation.batch_size)

    def bare() -> Any:
        with torch.inference_mode():
            return [classifier.readout(classifier.recurrent(chunk)[0][:, -1]) for chunk in chunks]

    evaluate(), bare()  # the first passes prepare what later ones use
    rounds = [(rate(evaluate, options.images), rate(bare, options.images)) for _ in range(options.rounds)]
    mine, theirs = zip(*rounds, strict=True)
    print(f"{'':32}{'median':>9}{'min':>9}{'max':>9}")
    print(row("evaluate, images a second", list(mine)))
    print(row("bare pass, images a second", list(theirs)))
    print(row("evaluate / bare pass", [own / other for own, other in rounds]))
    print(*machine(), sep="\n")


def rate(work: Callable[[], Any], images: int) -> float:
    """Images a second."""
    clock = time.perf_counter()
    work()
    return images / (time.perf_counter() - clock)


if __name__ == "__main__":
    main()
