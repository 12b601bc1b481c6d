"""Contents of operations: the fields of MLflow's data sets and metrics, from what the pipeline saves."""

import json
import time
from collections.abc import Iterable
from typing import Any

from mnist_lstm.core.data.data_card import DataCard
from mnist_lstm.core.evaluation.metrics import percent
from mnist_lstm.parameters import AUGMENTATIONS, ROLES, SWEPT_BLOCKS

DIGEST_LENGTH = 32  # characters of a SHA-256 that fit MLflow's dataset digest
CURVES = {
    "train_loss": "train/loss",
    "train_accuracy": "train/accuracy",
    "learning_rate": "train/learning_rate",
    "valid_loss": "valid/loss",
    "valid_accuracy": "valid/accuracy",
}  # metrics by the columns of the history

DETAILS = ("_low", "_high", "/images", "/correct", "_correct", "_128_accuracy")  # ends of names that metrics.json has

RECORDED, AUGMENTATION = (*SWEPT_BLOCKS, "evaluation.confidence"), "training.augmentation."

Point = tuple[str, float, int]  # name, value, update


def dataset(card: DataCard, split: str) -> dict[str, str]:
    """A split of the data, in the fields of MLflow's Dataset."""
    profile: dict[str, Any] = {
        "height": card.height,
        "width": card.width,
        "classes": len(card.class_names),
        "images": card.images[split],
    } | ({"decided": card.decided} if card.decided else {})
    return {
        "name": f"{card.name} {split}",
        "digest": card.sha256[split][:DIGEST_LENGTH],
        "source_type": "local",
        "source": json.dumps({"files": card.files}),
        "profile": json.dumps(profile),
    }


def inputs(card: DataCard, splits: Iterable[str]) -> list[dict[str, Any]]:
    """These splits, in the fields of MLflow's DatasetInput."""
    return [
        {"dataset": dataset(card, split), "tags": [{"key": "mlflow.data.context", "value": split}]} for split in splits
    ]


def metrics(points: Iterable[Point], images: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """Points in the fields of MLflow's Metric, linked to the data set `images`."""
    link = {"dataset_name": images["name"], "dataset_digest": images["digest"]} if images else {}
    now = int(time.time() * 1000)
    return [
        {"key": name, "value": float(value), "timestamp": now, "step": update, **link} for name, value, update in points
    ]


def with_effect(parameters: dict[str, str]) -> dict[str, str]:
    """Those of a run's parameters that can change a result, flat; provenance.json has all."""
    moved = any(parameters.get(f"{AUGMENTATION}{name}", "0.0") != "0.0" for name in AUGMENTATIONS)
    return {
        key: value
        for key, value in parameters.items()
        if key.startswith(RECORDED) and value != "None" and (moved or not key.startswith(AUGMENTATION))
        if key not in ROLES or (not ROLES[key].transient and ROLES[key].has_effect(parameters))
    }


def is_charted(name: str) -> bool:
    """Whether MLflow has the metric of the test images: it draws a chart for each."""
    return name.startswith("test/") and not name.endswith(DETAILS)


def description(metrics: dict[str, Any]) -> str:
    """What MLflow's pages say of a run and of its model, in Markdown, from the content of metrics.json."""
    low, high = (f"{metrics[f'test/accuracy_{end}']:.2%}" for end in ("low", "high"))
    return (
        f"{metrics['test/accuracy']:.2%} of {metrics['data']} right ({percent(metrics['confidence'])} interval "
        f"{low} to {high}).\n\nArtifacts: `report/report.html` shows the results and how the network reads; "
        "`report/model_card.md` says what the model is for and where it fails."
    )


def curve_points(rows: Any) -> list[Point]:
    """The points in rows of the history; NaN is no point."""
    return [
        (name, row[column], int(row["iteration"]))
        for row in rows.to_dict("records")
        for column, name in CURVES.items()
        if row[column] == row[column]
    ]
