"""Complete commands in turns: the seconds of each, and how many times those of the first.

    python benchmarks/in_turns.py --rounds 3 "run --env fast" "run --env fast --params training.precision=float32"

Each command is one of `kedro`, and a process of its own in a copy of the project in a temporary folder. The first round
fetches the data and makes the store, and is not counted.
"""

import argparse
import shlex
import sys
import tempfile
from pathlib import Path

from measuring import machine, process, row
from overhead import copied


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commands", nargs="+", help="of kedro, each in quotes")
    parser.add_argument("--rounds", type=int, default=3, help="counted runs of each (default: 3)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mnist_lstm-benchmark-") as folder:
        project = copied(Path(folder) / "project")
        rounds = []
        for number in range(options.rounds + 1):
            commands = options.commands[::-1] if number % 2 else options.commands
            runs = {each: process(project, sys.executable, "-m", "kedro", *shlex.split(each)) for each in commands}
            print(", ".join(f"{each}: {runs[each].seconds:.1f} s" for each in options.commands), flush=True)
            rounds.append(runs)
    counted, first = rounds[1:], options.commands[0]
    for number, each in enumerate(options.commands):
        print(row(f"{number + 1}: seconds", [runs[each].seconds for runs in counted]))
        print(row(f"{number + 1}: ratio to 1", [runs[each].seconds / runs[first].seconds for runs in counted]))
    print("\n".join(machine([run for runs in counted for run in runs.values()])))


if __name__ == "__main__":
    main()
