"""The work of `kedro run` as one bare script: the same stages, called one after another, and MLflow's own functions.

`overhead.py` compares `kedro run` with it. It has no catalog, hooks, provenance, or checkpoints to resume from: arrays
go from call to call, files are written once, at the end, and the curves go to MLflow as they come.

    python benchmarks/same_work.py FOLDER      (with MNIST's four files)
"""

import time

STARTED = time.perf_counter()  # before torch is imported: what a user waits for

import gzip  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import warnings  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import mlflow  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import torch  # noqa: E402
import yaml  # noqa: E402
from mlflow.entities import Metric  # noqa: E402
from mlflow.models import infer_signature  # noqa: E402

from mnist_lstm.core import idx  # noqa: E402
from mnist_lstm.core.checkpoint import Checkpoint, to_bytes  # noqa: E402
from mnist_lstm.core.models import ExportedModel, ImageClassifier  # noqa: E402
from mnist_lstm.core.serving import ServedClassifier  # noqa: E402
from mnist_lstm.core.splits import Arrays  # noqa: E402
from mnist_lstm.parameters import Parameters, checked, flattened  # noqa: E402
from mnist_lstm.pipelines.evaluate import nodes as evaluation  # noqa: E402
from mnist_lstm.pipelines.reshape.nodes import reshape  # noqa: E402
from mnist_lstm.pipelines.train.nodes import train  # noqa: E402

BASE = Path(__file__).parents[1] / "conf" / "base" / "parameters.yml"
VALIDATION_IMAGES, DPI = 5000, 130
CURVES = {f"{part}_{what}": f"{part}/{what}" for part in ("train", "valid") for what in ("loss", "accuracy")}


def main(folder: Path) -> None:
    """Trains, evaluates, draws and records."""
    values = yaml.safe_load(BASE.read_text())
    parameters = checked(values)
    mlflow.set_tracking_uri("sqlite:///same_work.db")
    mlflow.set_experiment("same work")
    images = [read(folder, split) for split in ("train", "t10k")]
    parts = [part(images[0], slice(VALIDATION_IMAGES, None)), part(images[0], slice(VALIDATION_IMAGES))]
    parts.append(part(images[1], slice(None)))
    card = {
        "name": "mnist",
        "title": "MNIST",
        "height": 28,
        "width": 28,
        "class_names": [str(digit) for digit in range(10)],
        "images": dict(zip(("train", "valid", "test"), (len(each["labels"]) for each in parts), strict=True)),
    }
    with mlflow.start_run():
        mlflow.log_params(flattened(values))
        learn_and_show(parameters, parts, card)


def learn_and_show(parameters: Parameters, parts: list[Arrays], card: dict[str, Any]) -> None:
    """All that comes after reading."""
    training, valid, test = reshape(parts[0], parts[1], parts[2], parameters.sequence)
    points, given = 0, (parameters.sequence, parameters.model, parameters.training)
    for latest in train(training, valid, card, {}, *given):
        checkpoint, history = latest
        log_curves(history[points:])
        if not points:
            print(f"update {history['iteration'][0]} after {time.perf_counter() - STARTED:.3f} s", flush=True)
        points = len(history)
    log_model(
        ExportedModel(ImageClassifier(checkpoint.classifier(), checkpoint.order()), parts[1]["images"][:2].copy())
    )
    out = Path("same_work")
    out.mkdir(exist_ok=True)
    (out / "checkpoint.pt").write_bytes(to_bytes(checkpoint))
    evaluate_and_draw(parameters, checkpoint, history, test, card, out)
    mlflow.log_artifacts(str(out))


def log_curves(history: pd.DataFrame) -> None:
    """New points of the curves, in one call."""
    now = int(1000 * time.time())
    columns = history.melt("iteration", list(CURVES)).dropna()
    points = [Metric(CURVES[name], value, now, int(step)) for step, name, value in columns.itertuples(index=False)]
    mlflow.MlflowClient().log_batch(mlflow.active_run().info.run_id, metrics=points)  # type: ignore[union-attr]


def evaluate_and_draw(
    parameters: Parameters, checkpoint: Checkpoint, history: pd.DataFrame, test: Arrays, card: dict[str, Any], out: Path
) -> None:
    """Measures on the test images, and all figures, into a folder."""
    predictions = evaluation.predict_test(checkpoint, test, card, parameters.evaluation)
    found, per_class, confusion = evaluation.score(predictions, card, parameters.evaluation)
    by_step, examples = evaluation.follow_beliefs(checkpoint, test, card, parameters.evaluation)
    states = evaluation.look_inside(checkpoint, examples)
    mlflow.log_metrics({key: value for key, value in found.items() if isinstance(value, int | float)})
    np.savez(out / "predictions.npz", **predictions)
    for name, table in {"history": history, "per_class": per_class, "confusion": confusion, "by_step": by_step}.items():
        table.to_csv(out / f"{name}.csv", index=False)
    figures = [
        *evaluation.draw_results(checkpoint, history, predictions, test, card, parameters.evaluation),
        *evaluation.draw_beliefs(checkpoint, by_step, examples, states, card, parameters.evaluation),
    ]
    for number, figure in enumerate(figures):
        if hasattr(figure, "savefig"):
            figure.savefig(out / f"{number}.png", dpi=DPI)
        else:
            figure.write_json(out / f"{number}.json")
    print(f"test accuracy {found['test/accuracy']:.4f}, all after {time.perf_counter() - STARTED:.3f} s")


def log_model(exported: ExportedModel) -> None:
    """As MLflow's pt2, which is the only export."""
    images = exported.examples.astype(np.float32)
    served = ServedClassifier(exported.classifier).eval()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        signature = infer_signature(images, served(torch.from_numpy(images)).numpy())
        mlflow.pytorch.log_model(
            served,
            name="model",
            signature=signature,
            input_example=images,
            pip_requirements=[f"torch=={torch.__version__.partition('+')[0]}"],
            serialization_format="pt2",
        )


def read(folder: Path, split: str) -> Arrays:
    """Images uint8 (N, 28, 28) and labels (N,) of IDX files."""
    names = {"images": f"{split}-images-idx3-ubyte.gz", "labels": f"{split}-labels-idx1-ubyte.gz"}
    return {key: idx.decode(gzip.decompress((folder / name).read_bytes()), name) for key, name in names.items()}


def part(arrays: Arrays, chosen: slice) -> Arrays:
    """Some of the images with their labels."""
    return {name: array[chosen] for name, array in arrays.items()}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
