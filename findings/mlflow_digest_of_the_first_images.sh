#!/usr/bin/env bash
# Seen on 2026-11-28 with mlflow 3.17.2, numpy 2.4.6, Python 3.11, Linux.
#
# `mlflow.data.from_numpy` gives 1,000 images of 28 x 28 pixels a digest. Where all images from the 21st on are set to zero
# the digest stays the same, as it is computed from the first 10,000 numbers (12.8 images) and the shape. The pages of
# MLflow then show two runs on different data as runs on the same data set.
#
# So images need a digest of their own, given as `digest=`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mlflow==3.17.2 numpy==2.4.6
cat > "$folder/digest_of_the_first_images.py" <<'PY'
import mlflow.data
import numpy as np

images = np.random.default_rng(0).random((1000, 28, 28))
changed = images.copy()
changed[20:] = 0
digests = {mlflow.data.from_numpy(pixels).digest for pixels in (images, changed)}
changed[0] = 0
other = mlflow.data.from_numpy(changed).digest
print(f"980 images changed: {len(digests)} digest; the first image too: {len(digests | {other})}")
PY
found=$(MLFLOW_DISABLE_TELEMETRY=true "$folder/venv/bin/python" "$folder/digest_of_the_first_images.py" 2>/dev/null)
expected='980 images changed: 1 digest; the first image too: 2'
printf '%s\n' "$found"
[ "$found" = "$expected" ] || { echo "the behaviour has changed; it was:"; printf '%s\n' "$expected"; exit 1; }
