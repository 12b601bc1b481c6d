"""`kedro run` on a data set ten times larger than the memory it may use: bytes, limit, peak, seconds and accuracy.

Writes a plain IDX file of MNIST's training images, each shifted by a pixel or two, over and over; the test images are
MNIST's own. The run gets a cgroup with that much memory, its page cache included, where this process may make one
(version 1, as root), else a limit on its data (RLIMIT_DATA). All of it lies in a temporary folder below --folder, which
needs three times the data's bytes, and is gone at the end.
"""

import argparse
import gzip
import hashlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import yaml
from measuring import machine, process
from overhead import copied

NAMES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}
SIDE, HEADER = 28, 16
CGROUPS = Path("/sys/fs/cgroup/memory")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, default=Path("data/01_raw/mnist"), help="folder with MNIST's four files")
    parser.add_argument("--folder", type=Path, help="where to work (default: the system's temporary folder)")
    parser.add_argument("--megabytes", type=int, default=800, help="memory for the run, of 1e6 bytes")
    parser.add_argument("--times", type=float, default=10, help="how much larger the data are (default: 10)")
    parser.add_argument("--updates", type=int, default=200)
    parser.add_argument("--block", default="1000", help="training.shuffle_block (default: 1000; or null)")
    options = parser.parse_args()
    limit = options.megabytes * 10**6
    with tempfile.TemporaryDirectory(prefix="mnist_lstm-benchmark-", dir=options.folder) as folder:
        project = copied(Path(folder) / "project")
        images = int(options.times * limit) // SIDE**2
        write_data(project, options.mnist.resolve(), images)
        parameters = f"data.name=large,training.iterations={options.updates},training.shuffle_block={options.block}"
        with limited(limit) as (words, peak):
            run = process(project, *words, sys.executable, "-m", "kedro", "run", "--params", parameters)
            most = peak()
        metrics = json.loads((project / "data/08_reporting/metrics.json").read_text())
        read = re.search(r"images: (.*?) to train", run.output)
    print(f"data       {images * SIDE**2 / 1e6:,.0f} MB, {images:,} images, {read[1] if read else '?'} to train")
    print(f"limit      {limit / 1e6:,.0f} MB, by {'RLIMIT_DATA' if words[0] == 'prlimit' else 'a cgroup'}")
    print(f"peak       {run.megabytes:,.0f} MB resident{most}")
    print(f"time       {run.seconds:,.0f} s, {options.updates} updates, shuffle_block {options.block}")
    print(f"accuracy   {metrics['test/accuracy']:.4f} of {metrics['test/images']:,} test images")
    print("\n".join(machine([run])))


def write_data(project: Path, mnist: Path, images: int) -> None:
    """The four files, where the project looks for them, and their entry in its catalog."""
    folder = project / "data/01_raw/large"
    folder.mkdir(parents=True)
    contents = {key: gzip.decompress((mnist / f"{name}.gz").read_bytes()) for key, name in NAMES.items()}
    digits = np.frombuffer(contents["train_images"], np.uint8, offset=HEADER).reshape(-1, SIDE, SIDE)
    labels = np.frombuffer(contents["train_labels"], np.uint8, offset=8)
    count = np.array([images], ">u4").tobytes()
    contents["train_labels"] = bytes([0, 0, 8, 1]) + count + np.resize(labels, images).tobytes()
    parts: dict[str, Iterator[bytes]] = {key: iter([content]) for key, content in contents.items()}
    parts["train_images"] = repeated(contents["train_images"][:4] + count, digits, images)
    files = {key: {"name": name, "checksum": written(folder / name, parts[key])} for key, name in NAMES.items()}
    names = [str(digit) for digit in range(10)]
    entry = {"title": "repeated MNIST", "mirrors": [], "class_names": names, "validation_images": 5000, "files": files}
    catalog = yaml.safe_load((project / "conf/base/catalog.yml").read_text())
    catalog["image_sources"]["idx"]["large"] = entry
    (project / "conf/base/catalog.yml").write_text(yaml.safe_dump(catalog, sort_keys=False))


def repeated(header: bytes, digits: np.ndarray, images: int) -> Iterator[bytes]:
    """An IDX file of the digits again and again, the n-th time shifted by other pixels."""
    yield header + np.array([SIDE, SIDE], ">u4").tobytes()
    for turn, start in enumerate(range(0, images, len(digits))):
        shift = (turn % 5 - 2, turn // 5 % 5 - 2)
        yield np.roll(digits[: images - start], shift, axis=(1, 2)).tobytes()


def written(path: Path, parts: Iterator[bytes]) -> str:
    """Writes a file, and returns its checksum."""
    sha = hashlib.sha256()
    with path.open("wb") as file:
        for part in parts:
            file.write(part)
            sha.update(part)
    return f"sha256:{sha.hexdigest()}"


@contextmanager
def limited(limit: int) -> Iterator[tuple[list[str], Callable[[], str]]]:
    """The words before a command that limit its memory, and a function that says afterwards what it needed."""
    group = own_group()
    if group is None:
        yield ["prlimit", f"--data={limit}"], lambda: ""
        return
    try:
        (group / "memory.limit_in_bytes").write_text(str(limit))
        yield ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"], lambda: in_words(group)
    finally:
        group.rmdir()


def own_group() -> Path | None:
    """A new cgroup below that of this process, if it may make one."""
    try:
        (line,) = [line for line in Path("/proc/self/cgroup").read_text().splitlines() if ":memory:" in line]
        group = CGROUPS / line.split(":")[2].lstrip("/") / f"beyond_memory-{os.getpid()}"
        group.mkdir()
    except (OSError, ValueError):
        return None
    return group


def in_words(group: Path) -> str:
    """The most that the cgroup held, and how often the kernel had to make room in it."""
    most, refused = (int((group / f"memory.{name}").read_text()) for name in ("max_usage_in_bytes", "failcnt"))
    return f"; {most / 1e6:,.0f} MB with the page cache, which was cut back {refused:,} times"


if __name__ == "__main__":
    main()
