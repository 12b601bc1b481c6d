"""The work of `kedro run` as one bare script: it calls the same stages one after another, and MLflow between them.

`overhead.py` compares `kedro run` with it. It has no catalog, hooks, provenance, or checkpoints to resume from: arrays
go from call to call, files are written once, at the end, and the curves go to MLflow as they come.

    python benchmarks/same_work.py FOLDER      (with MNIST's four files)
"""

import json
import time

STARTED = time.perf_counter()  # before torch is imported: what a user waits for

import contextlib  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from tempfile import TemporaryDirectory  # noqa: E402

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import mlflow  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import yaml  # noqa: E402
from mlflow.entities import Metric  # noqa: E402

from mnist_lstm.core.data import idx  # noqa: E402
from mnist_lstm.core.data.choose_split import validation  # noqa: E402
from mnist_lstm.core.data.data_card import DataCard  # noqa: E402
from mnist_lstm.core.data.sequences import SequenceSplit  # noqa: E402
from mnist_lstm.core.data.splits import ImageSplit, data_card  # noqa: E402
from mnist_lstm.core.model.export import ExportedModel  # noqa: E402
from mnist_lstm.core.training.checkpoint import Checkpoint, to_bytes  # noqa: E402
from mnist_lstm.parameters import Parameters, checked  # noqa: E402
from mnist_lstm.pipelines.evaluate.nodes import predict_test, score  # noqa: E402
from mnist_lstm.pipelines.report import nodes as report  # noqa: E402
from mnist_lstm.pipelines.reshape.nodes import reshape  # noqa: E402
from mnist_lstm.pipelines.train.nodes import export, train  # noqa: E402
from mnist_lstm.sections import flattened  # noqa: E402
from mnist_lstm.tracking.log_model import log_model  # noqa: E402

BASE = Path(__file__).parents[1] / "conf" / "base" / "parameters.yml"
VALIDATION_IMAGES, DPI = 5000, 130
CURVES = {f"{part}_{what}": f"{part}/{what}" for part in ("train", "valid") for what in ("loss", "accuracy")}


def main(folder: Path) -> None:
    """Trains, evaluates, draws and records."""
    values = yaml.safe_load(BASE.read_text())
    parameters = checked(values)
    mlflow.set_tracking_uri("sqlite:///same_work.db")
    mlflow.set_experiment("same work")
    valid, training, _ = validation(read(folder, "train"), VALIDATION_IMAGES, "first", "train", 0)
    parts = {"train": training, "valid": valid, "test": read(folder, "t10k")}
    card = data_card("mnist", "MNIST", parts, [str(digit) for digit in range(10)], files={})
    with mlflow.start_run() as run:
        mlflow.log_params(flattened(values))
        exported = learn_and_show(parameters, parts, card)
    log_model(mlflow.MlflowClient(), exported, run.info.run_id, "model")
    print(f"all after {time.perf_counter() - STARTED:.3f} s")


def learn_and_show(parameters: Parameters, parts: dict[str, ImageSplit], card: DataCard) -> ExportedModel:
    """All that comes after reading."""
    training, valid, test = reshape(parts["train"], parts["valid"], parts["test"], parameters.sequence)
    points, given = 0, (parameters.sequence, parameters.model, parameters.training)
    for latest in train(training, valid, card, {}, *given):
        checkpoint, history = latest["checkpoint"], latest["history"]
        log_curves(history[points:])
        if not points:
            print(f"update {history['iteration'][0]} after {time.perf_counter() - STARTED:.3f} s", flush=True)
        points = len(history)
    out = Path("same_work")
    out.mkdir(exist_ok=True)
    (out / "checkpoint.pt").write_bytes(to_bytes(checkpoint))
    evaluate_and_draw(parameters, checkpoint, history, test, card, out)
    mlflow.log_artifacts(str(out))
    return export(checkpoint, parts["valid"])


def log_curves(history: pd.DataFrame) -> None:
    """New points of the curves, in one call."""
    now = int(1000 * time.time())
    columns = history.melt("iteration", list(CURVES)).dropna()
    points = [Metric(CURVES[name], value, now, int(step)) for step, name, value in columns.itertuples(index=False)]
    mlflow.MlflowClient().log_batch(mlflow.active_run().info.run_id, metrics=points)  # type: ignore[union-attr]


def evaluate_and_draw(
    parameters: Parameters,
    checkpoint: Checkpoint,
    history: pd.DataFrame,
    test: SequenceSplit,
    card: DataCard,
    out: Path,
) -> None:
    """Measures on the test images, and all figures, into a folder."""
    predictions = predict_test(checkpoint, test, card, parameters.evaluation)
    found, per_class, confusion = score(predictions, card, parameters.evaluation)
    by_step, examples = report.classify_after_each_step(checkpoint, test, card, parameters.evaluation)
    states = report.compute_gates(checkpoint, examples)
    mlflow.log_metrics({key: value for key, value in found.items() if isinstance(value, int | float)})
    np.savez(out / "predictions.npz", logits=predictions.logits, labels=predictions.labels)
    for name, table in {"history": history, "per_class": per_class, "confusion": confusion, "by_step": by_step}.items():
        table.to_csv(out / f"{name}.csv", index=False)
    figures = [
        *report.draw_results(checkpoint, history, predictions, test, card, parameters.evaluation),
        *report.draw_readings(checkpoint, by_step, examples, states, card, parameters.evaluation),
    ]
    for number, figure in enumerate(figures):
        if hasattr(figure, "savefig"):
            figure.savefig(out / f"{number}.png", dpi=DPI)
        else:
            (out / f"{number}.json").write_text(json.dumps(figure))
    print(f"test accuracy {found['test/accuracy']:.4f}")


def read(folder: Path, split: str) -> ImageSplit:
    """Images uint8 (N, 28, 28) and labels (N,) of IDX files."""
    names = (f"{split}-images-idx3-ubyte.gz", f"{split}-labels-idx1-ubyte.gz")
    images, labels = (idx.decode((folder / name).read_bytes(), name) for name in names)
    return ImageSplit(images, labels)


if __name__ == "__main__":
    digits = Path(sys.argv[1]).absolute()
    with TemporaryDirectory(prefix="mnist_lstm-") as place, contextlib.chdir(place):
        main(digits)
