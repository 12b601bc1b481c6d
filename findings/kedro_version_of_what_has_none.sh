#!/usr/bin/env bash
# Seen on 2026-11-29 with kedro 1.7.0, Python 3.11, Linux.
#
# `load_versions` (`kedro run --load-versions NAME:VERSION`) says which version of a dataset a run reads. For a dataset
# without `versioned: true` any version is taken, even one that never was: the catalog is made, nothing is said, and
# what is read is whatever lies there now. A name that is not in the catalog is refused, and so is, when it is read, a
# version that a versioned dataset does not have.
#
# So a project whose entries have no versions should refuse the option, or a run that was to read the model of last
# month reads that of today.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check kedro==1.7.0 kedro-datasets==9.6.0
cat > "$folder/versions.py" <<'PY'
import sys
from pathlib import Path

from kedro.io import DataCatalog

file = Path(sys.argv[1], "accuracy.json")
file.write_text('"of today"')
never = "2001-01-01T00.00.00.000Z"


def read(versioned, name):
    entry = {"type": "json.JSONDataset", "filepath": str(file), "versioned": versioned}
    try:
        found = DataCatalog.from_config({"accuracy": entry}, load_versions={name: never}).load("accuracy")
    except Exception as error:
        found = type(error).__name__
    print(f"versioned {versioned}, version of {name}: {found}")


read(False, "accuracy")
read(False, "acuracy")
read(True, "accuracy")
PY
found=$(KEDRO_DISABLE_TELEMETRY=1 "$folder/venv/bin/python" "$folder/versions.py" "$folder" | grep "^versioned")
expected='versioned False, version of accuracy: of today
versioned False, version of acuracy: DatasetNotFoundError
versioned True, version of accuracy: DatasetError'
printf '%s\n' "$found"
[ "$found" = "$expected" ] || { echo "the behaviour has changed; it was:"; printf '%s\n' "$expected"; exit 1; }
