"""The page that explains a network: how exactly it computes, and how fast it opens and plays, in Chromium.

`--mnist FOLDER` trains a small network of each kind for a few updates and compares probabilities of test images, and
gates and states of some, with torch's. `--page FILE` opens a page that a run wrote, several times, and plays it.
`--cost FOLDER` runs `kedro run` of 100 updates in turns with and without the page and its snapshots, in a copy of the
project; the first two runs are not counted.
"""

import argparse
import base64
import gzip
import itertools
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from measuring import machine, process, row
from numpy.typing import NDArray
from overhead import PROJECT, copied

from mnist_lstm.core.data import idx
from mnist_lstm.core.data.sequences import pixel_order_for, to_sequences
from mnist_lstm.core.evaluation import gates
from mnist_lstm.core.explain.page import KINDS, script
from mnist_lstm.core.model.classifier import RecurrentClassifier, new_classifier
from mnist_lstm.core.model.pooling import POOLINGS
from mnist_lstm.core.training.snapshots import flat
from mnist_lstm.parameters import SequenceParameters, checked

VIEWS = ("rows", "columns", "patches", "pixels")
NAMES = {"i": "input gate", "f": "forget gate", "o": "output gate", "c": "cell state", "h": "hidden state"}
NAMES |= {"r": "reset gate", "z": "update gate", "n": "candidate state"}
MODEL = checked(yaml.safe_load((PROJECT / "conf/base/parameters.yml").read_text())).model
CLASSES, BATCH, COMPARED_STATES = 10, 128, 20  # images whose gates and states are compared
READ = """({sizes, order, weights, images, pixels, states}) => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const net = network(sizes, new Float32Array(bytes(weights).buffer)), all = bytes(images);
  return Array.from({length: all.length / pixels}, (_, n) => {
    const sequence = sequenceOf(all.subarray(n * pixels, (n + 1) * pixels), order);
    const {probabilities, seen} = read(net, sequence, {}, n >= states);
    const listed = Object.entries(seen).map(([letter, values]) => [letter, [...values]]);
    return [probabilities.at(-1), n < states ? Object.fromEntries(listed) : 0];
  });
}"""
OWN = "import functools, sys; sys.path.insert(0, 'src')"
WITHOUT = """
from mnist_lstm.pipelines.report import nodes
from mnist_lstm.pipelines.train import nodes as training
nodes.write_explain_page = functools.wraps(nodes.write_explain_page)(lambda *_: "")
training.SnapshotTaker.__init__ = lambda taker, *_: setattr(taker, "weights", {})
training.SnapshotTaker.watched = lambda _, reports: reports
"""
RUN = """
from kedro.framework.cli import main
sys.argv = ["kedro", "run", "--params", sys.argv[1]]
main()
"""
COUNT_FRAMES = """() => new Promise((done) => {
  let frames = 0;
  const began = performance.now(), next = (now) => (now - began < 2500 ? requestAnimationFrame(next, frames += 1)
    : done([frames, (now - began) / 1000]));
  document.getElementById("play").click();
  requestAnimationFrame(next);
})"""


def main() -> None:
    from playwright.sync_api import sync_playwright  # of the extra `browser`

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, help="folder with MNIST's four files")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--units", type=int, default=32)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--cost", type=Path, help="folder with MNIST's four files")
    parser.add_argument("--rounds", type=int, default=5, help="of --page and --cost (default: 5)")
    options = parser.parse_args()
    if options.cost:
        cost(options.cost, options.rounds)
    with sync_playwright() as driver:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        if options.mnist:
            compare(browser, options.mnist, options.images, options.units)
        if options.page:
            opened(browser, options.page, options.rounds)
    print(*machine(), sep="\n")


def kinds() -> Iterator[tuple[str, str, str, int, bool]]:
    """View, cell, pooling, layers and directions: all but the view combined over rows; each view with each cell."""
    poolings, layers = itertools.cycle(POOLINGS), itertools.cycle([1, 2])
    yield from (("rows", *rest) for rest in itertools.product(KINDS, POOLINGS, [1, 2], [False, True]))
    for view, cell, both in itertools.product(VIEWS[1:], KINDS, [False, True]):
        yield view, cell, next(poolings), next(layers), both


def compare(browser: Any, folder: Path, count: int, units: int) -> None:
    """Prints, for each kind of network, the largest differences."""
    train, labels, test = (
        idx.decode(gzip.decompress((folder / f"{name}.gz").read_bytes()), name)
        for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte")
    )
    page = browser.new_page()
    page.add_script_tag(content=script(("network",)))
    worst = [0.0, 0.0]
    print("view, cell, pooling, layers, directions: largest difference of a probability, of a gate or state")
    for view, cell, pooling, layers, both in kinds():
        reads = SequenceParameters.model_validate({"view": view, "patch_size": 7, "permutation_seed": 1})
        order = pixel_order_for(reads, 28, 28)
        model = MODEL.model_copy(
            update={"cell": cell, "pooling": pooling, "num_layers": layers, "bidirectional": both, "hidden_size": units}
        )
        classifier = new_classifier(model, order.shape, CLASSES, seed=1)
        learn(classifier, to_sequences(train[: 20 * BATCH], order), labels)
        found = differences(page, classifier, order, test[:count])
        worst = [max(pair) for pair in zip(worst, found, strict=True)]
        print(f"{view}, {cell}, {pooling}, {layers}, {1 + both}: {found[0]:.1e}, {found[1]:.1e}", flush=True)
    print(f"largest of all: {worst[0]:.1e}, {worst[1]:.1e}")


def learn(classifier: RecurrentClassifier, sequences: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    """One short epoch by torch's Adam, after which no weight is what it was at first."""
    optimizer = torch.optim.Adam(classifier.parameters(), lr=0.01)
    for at in range(0, len(sequences), BATCH):
        logits = classifier(torch.from_numpy(sequences[at : at + BATCH]))
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels[at : at + BATCH].astype(np.int64)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    classifier.eval()


def differences(
    page: Any, classifier: RecurrentClassifier, order: NDArray[np.int64], images: NDArray[np.uint8]
) -> tuple[float, float]:
    """The largest differences between the page and torch: of a probability, and of a gate or state."""
    model, sequences = classifier.model, to_sequences(images, order)
    sizes = {"cell": model.cell, "hidden": model.hidden_size, "layers": model.num_layers, "pooling": model.pooling}
    sizes |= {"directions": 1 + model.bidirectional, "features": order.shape[1], "classes": CLASSES}
    sent = {"weights": flat(classifier.state_dict()).tobytes(), "images": images.tobytes()}
    arrays = {name: base64.b64encode(content).decode() for name, content in sent.items()}
    numbers = {"pixels": images[0].size, "states": COMPARED_STATES, "order": order.ravel().tolist()}
    found = page.evaluate(READ, {"sizes": sizes} | arrays | numbers)
    with torch.inference_mode():
        expected = torch.cat([classifier(torch.from_numpy(part)) for part in np.array_split(sequences, 10)]).softmax(-1)
    states = gates.states(classifier, sequences[:COMPARED_STATES])
    return float(np.abs(np.array([shares for shares, _ in found]) - expected.numpy()).max()), max(
        float(np.abs(np.reshape(values, states[NAMES[letter]][n].shape) - states[NAMES[letter]][n]).max())
        for n, (_, seen) in enumerate(found[:COMPARED_STATES])
        for letter, values in seen.items()
        if NAMES.get(letter) in states
    )


def cost(folder: Path, rounds: int) -> None:
    """Prints the seconds of `kedro run` with and without the page."""
    parameters = f"training.iterations=100,data.on_unreachable=fail,data.mirror={folder.resolve().as_uri()}"
    pairs = []
    with tempfile.TemporaryDirectory(prefix="mnist_lstm-benchmark-") as place:
        project = copied(Path(place) / "project")
        for number in range(rounds + 1):
            codes = {"with": OWN + RUN, "without": OWN + WITHOUT + RUN}
            order = list(codes)[:: -1 if number % 2 else 1]
            took = {name: process(project, sys.executable, "-c", codes[name], parameters).seconds for name in order}
            pairs.append((took["with"], took["without"]))
            print(f"with {took['with']:.1f} s, without {took['without']:.1f} s", flush=True)
    given, bare = zip(*pairs[1:], strict=True)
    print(f"{'':32}{'median':>9}{'min':>9}{'max':>9}")
    print(row("with the page, s", list(given)))
    print(row("without it, s", list(bare)))
    print(row("difference, s", [one - other for one, other in pairs[1:]]))


def opened(browser: Any, file: Path, rounds: int) -> None:
    """Prints the page's size, the seconds until one can use it, frames while it plays, its requests and errors."""
    measured: list[tuple[float, ...]] = []
    heard: list[str] = []
    for _ in range(rounds):
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        thread = page.context.new_cdp_session(page)
        thread.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda request: heard.append(request.url))
        page.goto(file.resolve().as_uri())
        busy = processor_seconds(thread)
        ready = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd / 1000")
        page.locator("#play").click()  # ends what the page plays by itself
        before = processor_seconds(thread)
        frames, seconds = page.evaluate(COUNT_FRAMES)
        measured.append((ready, busy, frames / seconds, 1000 * (processor_seconds(thread) - before) / frames))
        page.close()
    print(f"{'':32}{'median':>9}{'min':>9}{'max':>9}")
    names = ("s until one can use it", "s of the processor to open", "frames a second", "ms of the processor a frame")
    for name, values in zip(names, zip(*measured, strict=True), strict=True):
        print(row(name, list(values)))
    others = [each for each in heard if each != file.resolve().as_uri()]
    print(f"{file.stat().st_size / 1e6:.2f} MB; errors, messages and requests: {others or 'none'}")


def processor_seconds(thread: Any) -> float:
    """Seconds that the page's main thread took of the processor, which other processes do not prolong."""
    metrics = thread.send("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


if __name__ == "__main__":
    main()
