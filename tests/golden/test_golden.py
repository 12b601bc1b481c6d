"""The fingerprints, weights and predictions of a few runs are those that they had, and old files are read.

The portable ones have the same bits on every processor, the first is what `kedro run` does; the others are pinned since
version 0.1.0.
`python -m tests.golden.test_golden` prints them for this machine. Fingerprints are the same on every machine; bits are
compared where runs.json has those of this kind of processor, and results to four digits elsewhere.
"""

import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from tests.core.conftest import needs_kernel
from tests.support.projects import TESTED, Project, copied

HERE = Path(__file__).parent
PORTABLE = "portable"
DIGITS = "data.name=digits,training.precision=float32"
GRU = "training.iterations=40,model.cell=gru,model.hidden_size=24,sequence.view=columns"
RNN = "training.iterations=40,model.cell=rnn,model.hidden_size=24,sequence.view=patches"
RUNS = {
    PORTABLE: ("data.name=digits",),
    f"{PORTABLE} gru": (f"data.name=digits,{GRU}",),
    f"{PORTABLE} rnn": (f"data.name=digits,{RNN}",),
    "base": (DIGITS,),
    "fast": (
        f"{DIGITS},training.iterations=60,training.warmup=10,training.validate_every=20,training.learning_rate=0.004",
        "--env",
        "fast",
    ),
    "gru": (f"{DIGITS},{GRU}",),
    "rnn": (f"{DIGITS},{RNN}",),
    "attention": (
        f"{DIGITS},training.iterations=40,model.pooling=attention,model.bidirectional=true,model.num_layers=2,"
        "model.hidden_size=16,model.dropout=0.2,training.keep=best,training.optimizer=sgd,training.momentum=0.9",
    ),
}


def processor(name: str) -> str:
    """The kind of processor, as far as it decides the bits of a run: its maker and its vector instructions."""
    if name.startswith(PORTABLE):
        return "any"
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    maker = next((line.partition(":")[2].strip() for line in lines if line.startswith("vendor_id")), "unknown")
    return f"{maker} {torch.backends.cpu.get_cpu_capability()}"


def computed(project: Project, name: str) -> dict[str, Any]:
    """What a run computes: its fingerprint, its results, and digests of its bits."""
    params, *options = RUNS[name]
    done = project.invoke("--params", f"{params},tracking.enabled=false", *TESTED, *options)
    assert done.exit_code == 0, done.output
    return found_in(project)


def found_in(project: Project) -> dict[str, Any]:
    """The same of a run that ended."""
    (checkpoint,) = project.checkpoints()
    content = torch.load(checkpoint, weights_only=True)
    curves = pd.read_csv(project.path / "data/08_reporting/history.csv")
    with np.load(project.path / "data/07_model_output/predictions.npz", allow_pickle=False) as predictions:
        logits = predictions["logits"]
    return {
        "fingerprint": checkpoint.stem,
        "weights": digest({key: value.numpy() for key, value in content["state"]["weights"].items()}),
        "predictions": digest({"logits": logits}),
        "train_loss": float(curves["train_loss"].iloc[-1]),
        "test/loss": project.read("08_reporting/metrics.json")["test/loss"],
    }


def digest(arrays: dict[str, Any]) -> str:
    sha = hashlib.sha256()
    for name in sorted(arrays):
        sha.update(name.encode() + arrays[name].tobytes())
    return sha.hexdigest()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=needs_kernel if name.startswith(PORTABLE) else ()) for name in RUNS]
)
def test_a_run_has_the_fingerprint_and_the_bits_that_it_had(name: str, tmp_path: Path, finished: Project) -> None:
    golden = json.loads((HERE / "runs.json").read_text())[name]
    found = found_in(finished) if name == PORTABLE else computed(copied(tmp_path), name)  # `finished` is that run
    assert found["fingerprint"] == golden["fingerprint"]
    if bits := golden["bits"].get(processor(name)):
        assert {key: found[key] for key in bits} == bits
    for key, value in golden["results"].items():
        assert found[key] == pytest.approx(value, rel=1e-3)


def test_a_checkpoint_of_version_0_1_0_is_read_and_trained_on(tmp_path: Path) -> None:
    project = copied(tmp_path)
    checkpoints = project.path / "data/06_models/checkpoints"
    checkpoints.mkdir(parents=True)
    (old,) = HERE.glob("*.pt")
    shutil.copy(old, checkpoints)
    words = f"{DIGITS},training.iterations=20,model.hidden_size=4,training.resume=true,tracking.enabled=false"
    done = project.invoke("--params", words, *TESTED)
    assert done.exit_code == 0, done.output
    (checkpoint,) = project.checkpoints()
    assert checkpoint.name == old.name
    assert torch.load(checkpoint, weights_only=True)["state"]["iteration"] == 20


def main() -> None:
    """Prints runs.json with this machine's bits."""
    known = json.loads((HERE / "runs.json").read_text()) if (HERE / "runs.json").exists() else {}
    for name in RUNS:
        with tempfile.TemporaryDirectory() as folder:
            found = computed(copied(Path(folder) / "project"), name)
        bits = {key: found[key] for key in ("weights", "predictions")}
        known[name] = {
            "fingerprint": found["fingerprint"],
            "bits": known.get(name, {}).get("bits", {}) | {processor(name): bits},
            "results": {key: found[key] for key in ("train_loss", "test/loss")},
        }
    json.dump(known, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
