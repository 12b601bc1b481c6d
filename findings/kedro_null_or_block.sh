#!/usr/bin/env bash
# Seen on 2026-11-28 with kedro 1.7.0, Python 3.11, Linux.
#
# An environment has two files of parameters that Kedro reads together: one says `model:` without a value (null), the other
# `model: {units: 64}`. Under the merge strategy "soft" nothing is raised. Which of the two counts is decided by the hash
# seed of the process: with some seeds the model is null, with others it has 64 units and the rest of the base. Two blocks
# are merged, and refused by name where they have a key in common, whatever the seed.
#
# So a null and a block for one key should be refused by the project before anything runs.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check kedro==1.7.0
cat > "$folder/null_or_block.py" <<'PY'
import json
import os
import sys

from kedro.config import OmegaConfigLoader

os.chdir(sys.argv[1])
for path, text in (
    ("conf/base/parameters.yml", "model:\n  units: 128\n  cell: lstm\n"),
    ("conf/small/parameters_null.yml", "model:\n"),
    ("conf/small/parameters_block.yml", "model:\n  units: 64\n"),
):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
loader = OmegaConfigLoader("conf", env="small", base_env="base", merge_strategy={"parameters": "soft"})
print(json.dumps(loader["parameters"]["model"]))
PY
found=$(for seed in $(seq 0 24); do
    PYTHONHASHSEED=$seed KEDRO_DISABLE_TELEMETRY=1 "$folder/venv/bin/python" -W ignore "$folder/null_or_block.py" "$folder"
done | LC_ALL=C sort -u)
expected='null
{"units": 64, "cell": "lstm"}'
printf '%s\n' "$found"
[ "$found" = "$expected" ] || { echo "the behaviour has changed; it was:"; printf '%s\n' "$expected"; exit 1; }
