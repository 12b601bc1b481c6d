#!/usr/bin/env bash
# Seen on 2026-11-28 with mlflow 3.17.2, Python 3.11, Linux.
#
# A metric is logged twice for the same step and the same millisecond, 0.9 and then 0.5, as happens where a training that
# continues writes its last point again. The run shows 0.9, the larger value, not the one that came last, and so does a
# loss; the history has both.
#
# So a point that is written again needs a later timestamp, or should not be written.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mlflow==3.17.2
cat > "$folder/larger_of_two_values.py" <<'PY'
import sys

from mlflow import MlflowClient

client = MlflowClient(f"sqlite:///{sys.argv[1]}/mlflow.db")
run = client.create_run(client.create_experiment("losses")).info.run_id
for value in (0.9, 0.5):
    client.log_metric(run, "loss", value, timestamp=1, step=1)
print(client.get_run(run).data.metrics["loss"], sorted(point.value for point in client.get_metric_history(run, "loss")))
PY
found=$(MLFLOW_DISABLE_TELEMETRY=true "$folder/venv/bin/python" "$folder/larger_of_two_values.py" "$folder" 2>/dev/null)
expected='0.9 [0.5, 0.9]'
printf '%s\n' "$found"
[ "$found" = "$expected" ] || { echo "the behaviour has changed; it was:"; printf '%s\n' "$expected"; exit 1; }
