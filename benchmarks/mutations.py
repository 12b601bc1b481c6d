"""Small wrong changes to src/, and whether the tests notice them: how much power the suite has.

    python benchmarks/mutations.py [--list] [--only N ...] [--near] [--workers N] [--trust] [--repository FOLDER]
                                   [--table FILE]

mutations.json holds the changes: what is wrong, the file, the text before and after, and the tests that are most likely
to notice. Each change is made in a copy of the repository. The named tests run first, then the folder of tests that
mirrors the file's, then every other test that is not slow; the first failure ends it. With --near the last of the three
is left out, so that most changes are judged in seconds; repeat those that escape with --only. Tests that fail without
any change are found first and left out. A line says of each change whether it was caught, and the last line how many
were.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
LONGEST = 3600  # seconds that the tests of one change may take; a change that makes them hang is caught
GIT = ("git", "-c", "user.name=mutations", "-c", "user.email=mutations@example.invalid")


class Mutation(NamedTuple):
    """A small wrong change.

    Attributes:
        what: is wrong then.
        file: below the repository.
        old, new: the text before and after; `old` must stand in the file exactly once.
        tests: files or folders, separated by spaces.
    """

    what: str
    file: str
    old: str
    new: str
    tests: str


def verdict(mutation: Mutation, repository: Path, failing: list[str], near: bool) -> str:
    """Says which test caught it, or "escaped"; tests that fail without any change do not count."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        root = copy(repository, Path(folder) / "project")
        apply(mutation, root)
        for tests in filter(None, stages(mutation, root)[: 2 if near else 3]):
            failed = failures(root, ["-x", *(f"--deselect={test}" for test in failing), *tests])
            if failed:
                return f"caught by {failed[0]}"
    return "escaped"


def stages(mutation: Mutation, root: Path) -> tuple[list[str], list[str], list[str]]:
    """Arguments of pytest: the named tests, then those of the mirrored folder, then all others."""
    named = mutation.tests.split()
    folder = Path(mutation.file.replace("src/mnist_lstm", "tests", 1)).parent
    while not (root / folder).is_dir():
        folder = folder.parent
    mirrored = sorted(str(path.relative_to(root)) for path in (root / folder).glob("test_*.py"))
    near = [path for path in mirrored if not path.startswith(tuple(named))]
    return named, near, ["tests", *(f"--ignore={path}" for path in (*named, *near))]


def copy(repository: Path, root: Path) -> Path:
    """A repository of its own with the files that git knows or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (repository / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(repository / name, root / name)
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "a copy"]):
        subprocess.run([*GIT, *words], cwd=root, check=True)
    return root


def apply(mutation: Mutation, root: Path) -> None:
    """Makes the change.

    Raises:
        ValueError: if the text before does not stand in the file exactly once.
    """
    path = root / mutation.file
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if (found := text.count(mutation.old)) != 1:
        raise ValueError(f"{mutation.file} must hold {mutation.old!r} once, found it {found} times; mend the table.")
    path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")


def failures(root: Path, options: list[str]) -> list[str]:
    """The tests that failed."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider", *options]
    environment = os.environ | {"PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        return ["a test that does not end"]
    if done.returncode in (0, 5):  # 5: no test was selected
        return []
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return [line.partition(" ")[2].partition(" - ")[0] for line in lines] or [f"pytest's exit code {done.returncode}"]


def failing_unchanged(repository: Path) -> list[str]:
    """The tests that fail on this machine without any change."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        return failures(copy(repository, Path(folder) / "project"), ["-n", "auto", "--dist", "loadgroup"])


def verdicts(
    mutations: list[Mutation], workers: int, repository: Path, failing: list[str], near: bool
) -> Iterator[str]:
    """The verdict on each change, in their order."""
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(lambda mutation: verdict(mutation, repository, failing, near), mutations)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=int, nargs="+", metavar="N", help="numbers of the changes to make")
    parser.add_argument("--list", action="store_true", help="check that each change applies, and print them")
    parser.add_argument("--near", action="store_true", help="only the named tests and the mirrored folder's")
    parser.add_argument("--trust", action="store_true", help="take it that all tests pass without a change")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--repository", type=Path, default=HERE.parent)
    parser.add_argument("--table", type=Path, default=HERE / "mutations.json")
    given = parser.parse_args()
    table = [Mutation(**each) for each in json.loads(given.table.read_text(encoding="utf-8"))]
    numbers = given.only or list(range(1, len(table) + 1))
    chosen = [table[number - 1] for number in numbers]
    if given.list:
        for number, mutation in zip(numbers, chosen, strict=True):
            found = (given.repository / mutation.file).read_text(encoding="utf-8").count(mutation.old)
            print(f"{number:3d} {mutation.what}" + f"  NOT APPLICABLE: {found} times in {mutation.file}" * (found != 1))
        return
    failing = [] if given.trust else failing_unchanged(given.repository)
    print("fail without any change:", ", ".join(failing) or "none", flush=True)
    caught = 0
    said_of_each = verdicts(chosen, given.workers, given.repository, failing, given.near)
    for number, mutation, said in zip(numbers, chosen, said_of_each, strict=True):
        caught += said != "escaped"
        print(f"{number:3d} {mutation.what}: {said}", flush=True)
    print(f"{caught} of {len(chosen)} caught")


if __name__ == "__main__":
    main()
