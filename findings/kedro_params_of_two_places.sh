#!/usr/bin/env bash
# Seen on 2026-11-29 with kedro 1.7.0, Python 3.11, Linux.
#
# `kedro run --config run.yml` takes the options of the command from a file, also its `params`. With `--params` on the
# command line as well, all parameters of the file are dropped without a word, also those of other keys: the file says
# seed 3 and 40 updates, the line says rate 0.1, and the run has 100 updates and seed 1, as conf/base has, at rate 0.1. A
# run from a file of options that is changed by one value is another run than one thinks.
#
# So the project merges both, and the line counts where a key stands in both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check kedro==1.7.0
mkdir -p "$folder/project/conf/base" "$folder/project/conf/local" "$folder/project/src/tiny"
cd "$folder/project"
cat > pyproject.toml <<'TOML'
[tool.kedro]
package_name = "tiny"
project_name = "tiny"
kedro_init_version = "1.7.0"
source_dir = "src"
TOML
echo '{updates: 100, seed: 1, rate: 0.5}' > conf/base/parameters.yml
echo '{}' > conf/base/catalog.yml
echo 'run: {params: {updates: 40, seed: 3}}' > run.yml
touch src/tiny/__init__.py src/tiny/settings.py
cat > src/tiny/pipeline_registry.py <<'PY'
from kedro.pipeline import Node, Pipeline


def show(parameters):
    print({key: parameters[key] for key in ("updates", "seed", "rate")})


def register_pipelines():
    return {"__default__": Pipeline([Node(show, "parameters", None, name="show")])}
PY
run() { KEDRO_DISABLE_TELEMETRY=1 "$folder/venv/bin/kedro" run "$@" 2>&1 | grep "^{"; }
found=$(run --config run.yml; run --config run.yml --params rate=0.1)
expected="{'updates': 40, 'seed': 3, 'rate': 0.5}
{'updates': 100, 'seed': 1, 'rate': 0.1}"
printf '%s\n' "$found"
[ "$found" = "$expected" ] || { echo "the behaviour has changed; it was:"; printf '%s\n' "$expected"; exit 1; }
