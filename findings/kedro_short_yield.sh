#!/usr/bin/env bash
# Seen on 2026-11-28 with kedro 1.7.0, Python 3.11, Linux.
#
# A node whose function is a generator saves each yield. Its outputs are a list of two names, and the third of four
# yields has one value in place of two. Kedro saves the first two yields, drops the third and the fourth, and the run
# ends with "Pipeline execution completed successfully": no error, no warning, and the dataset holds the value of the
# second yield. With the outputs as a dictionary the same mistake is a KeyError, which ends the run.
#
# So a training that yields checkpoint and curves should name its outputs by a dictionary.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check kedro==1.7.0
cat > "$folder/short_yield.py" <<'PY'
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner


def as_tuples():
    yield 1, "one"
    yield 2, "two"
    yield (3,)
    yield 4, "four"


def as_dicts():
    yield {"number": 1, "word": "one"}
    yield {"number": 2, "word": "two"}
    yield {"number": 3}
    yield {"number": 4, "word": "four"}


for function, outputs in ((as_tuples, ["number", "word"]), (as_dicts, {"number": "number", "word": "word"})):
    catalog = DataCatalog({name: MemoryDataset() for name in ("number", "word")})
    try:
        SequentialRunner().run(Pipeline([Node(function, None, outputs, name="count")]), catalog)
        ending = "the run succeeded"
    except Exception as error:
        ending = type(error).__name__
    print(f"{function.__name__}: {ending}; number is {catalog.load('number')}, word is {catalog.load('word')}")
PY
found=$(KEDRO_DISABLE_TELEMETRY=1 "$folder/venv/bin/python" "$folder/short_yield.py" | grep "^as_")
expected='as_tuples: the run succeeded; number is 2, word is two
as_dicts: KeyError; number is 2, word is two'
printf '%s\n' "$found"
[ "$found" = "$expected" ] || { echo "the behaviour has changed; it was:"; printf '%s\n' "$expected"; exit 1; }
