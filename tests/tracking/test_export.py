"""`kedro export` in a project in which a run finished."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_lstm.core.data.bundled_digits import bundled_digits
from tests.support.projects import DIGITS, Project, mistake


@pytest.fixture
def exported(finished: Project, tmp_path: Path) -> Any:
    """Exports the champion in a format, and returns the file."""

    def export(file_format: str) -> Path:
        path = tmp_path / f"model.{file_format}"
        done = finished.call("export", "champion", "--format", file_format, "--output", str(path))
        assert done.exit_code == 0, done.output
        assert done.output.splitlines()[-1] == f"Written {path} ({path.stat().st_size:,} bytes)"
        return path

    return export


def test_the_onnx_file_of_the_champion_gives_its_predictions_and_names_its_run(
    exported: Any, finished: Project
) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    session = runtime.InferenceSession(str(exported("onnx")), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"images": bundled_digits().test.images})
    with np.load(finished.path / "data/07_model_output/predictions.npz", allow_pickle=False) as predictions:
        logits = predictions["logits"].astype(np.float64)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    # float32 of torch itself is 1e-6 from its float64 here
    np.testing.assert_allclose(found, expected, atol=5e-6)
    said, run = session.get_modelmeta().custom_metadata_map, finished.last_run()
    assert (said["run"], said["weights.sha256"]) == (run.info.run_id, run.data.tags["weights.sha256"])
    assert json.loads(said["class_names"]) == [str(digit) for digit in range(10)]
    assert (said["data"], said["model"]) == ("bundled 8x8 digits (not MNIST)", "lstm128 rows s1")


def test_the_safetensors_file_holds_the_weights(exported: Any, finished: Project) -> None:
    content = exported("safetensors").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert header["__metadata__"]["run"] == finished.last_run().info.run_id
    assert header["recurrent.weight_hh_l0"]["shape"] == [512, 128]


def test_a_run_records_its_onnx_file_where_it_is_wanted(project: Project) -> None:
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    done = project.invoke("--to-nodes", "export", "--params", f"{DIGITS},tracking.onnx=true")
    assert done.exit_code == 0, done.output
    run_id = project.last_run().info.run_id
    (recorded,) = (project.path / "mlartifacts").rglob("classifier.onnx")
    project.call("export", run_id, "--output", str(project.path / "later.onnx"))
    assert recorded.read_bytes() == (project.path / "later.onnx").read_bytes()


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("cell=lstm", "tracking.onnx needs the package onnx; pip install"),
        ("gates=refined,model.forget_bias=0.0", "model.gates must be one of plain to be exported to ONNX"),
    ],
)
def test_a_file_that_cannot_be_recorded_is_refused_before_training(
    project: Project, monkeypatch: pytest.MonkeyPatch, model: str, reason: str
) -> None:
    if "onnx;" in reason:
        monkeypatch.setitem(sys.modules, "onnx", None)
    else:
        pytest.importorskip("onnx", reason="the extra onnx is not installed")
    done = project.invoke("--params", f"{DIGITS},tracking.onnx=true,model.{model}")
    assert mistake(done).startswith(reason)
    assert (project.runs(), project.checkpoints()) == ([], [])


@pytest.mark.parametrize(("file_format", "other"), [("onnx", "safetensors"), ("safetensors", "onnx")])
def test_a_file_is_not_named_after_the_other_format(
    finished: Project, tmp_path: Path, file_format: str, other: str
) -> None:
    done = finished.call("export", "champion", "--format", file_format, "-o", str(tmp_path / f"model.{other}"))
    assert mistake(done) == (
        f"a file in the format {file_format} must not be called 'model.{other}'; name it *.{file_format}, or "
        f"pass --format {other}."
    )
    assert not list(tmp_path.iterdir())


def test_without_onnx_the_command_says_what_to_install(
    finished: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    done = finished.call("export", "latest", "--output", str(tmp_path / "model.onnx"))
    assert mistake(done).startswith("an ONNX file needs the package onnx; install it: pip install")
    assert not list(tmp_path.iterdir())
