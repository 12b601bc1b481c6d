"""Puts a sealed run into an MLflow store, where it is a run like any other."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mnist_lstm.core.model.export import ExportedModel, ImageClassifier
from mnist_lstm.core.training.checkpoint import weights_digest
from mnist_lstm.sections import flattened
from mnist_lstm.tracking import payloads, reader, store, tags
from mnist_lstm.tracking.seal.contents import Seal
from mnist_lstm.tracking.spool.operations import Operation, create_run, send
from mnist_lstm.tracking.start import run_tags

EXAMPLES = 2  # images; with one, torch.export would fix the batch size


def imported(project: Path, seal: Seal) -> tuple[str, bool]:
    """The id of the sealed run in this project's store, and whether it is new there."""
    client, uri, experiment, _ = store.opened(project)
    known = next(reader.runs(client, experiment, f"tags.`{tags.SEAL}` = '{seal.sha256}'"), None)
    if known:
        return str(known.info.run_id), False
    return recorded(client, store.experiment_id(client, experiment, project, uri), seal), True


def recorded(client: Any, experiment_id: str, seal: Seal) -> str:
    """Records a sealed run in an experiment, and returns its id there; nothing stays if that fails."""
    run = {"experiment_id": experiment_id, "start_time": seal.run["start_time"], "run_name": seal.run["name"]}
    run["run_id"] = create_run(client, run | {"tags": _tags(seal)})
    try:
        for kind, values in _operations(seal):
            send(client, run, Operation(kind, values))
    except BaseException:
        client.delete_run(run["run_id"])
        raise
    return str(run["run_id"])


def _tags(seal: Seal) -> dict[str, str]:
    about, checkpoint = seal.provenance, seal.checkpoint
    return {
        **run_tags(about | {"process": {}}),
        "data": seal.card.title,
        tags.FINGERPRINT: checkpoint.fingerprint,
        tags.PRECISION: str(checkpoint.fingerprint_fields[tags.PRECISION]),
        tags.WEIGHTS: weights_digest(checkpoint.weights),
        tags.UPDATES: str(checkpoint.state.iteration),
        tags.SEALED_RUN: str(seal.run["id"]),
        tags.SEAL: seal.sha256,
    }


def _operations(seal: Seal) -> list[tuple[str, dict[str, Any]]]:
    """What a run of the project would have sent."""
    checkpoint, card = seal.checkpoint, seal.card
    params = payloads.with_effect({key: str(value) for key, value in flattened(seal.provenance["parameters"]).items()})
    tested = [(name, value, 0) for name, value in seal.metrics.items() if payloads.is_charted(name)]
    examples = np.zeros((EXAMPLES, *card.image_shape), np.uint8 if card.kind == "images" else np.float32)
    exported = ExportedModel(ImageClassifier(checkpoint.classifier(), checkpoint.pixel_order()), examples)
    curves = payloads.metrics(payloads.curve_points(pd.DataFrame(checkpoint.state.history)))
    return [
        ("model", {"exported": exported, "name": seal.run["name"]}),
        ("batch", {"params": [{"key": key, "value": value} for key, value in params.items()]}),
        ("inputs", {"inputs": payloads.inputs(card, card.sha256)}),
        ("batch", {"metrics": curves}),
        ("batch", {"metrics": payloads.metrics(tested, payloads.dataset(card, "test"))}),
        ("artifacts", {"files": seal.files}),
        ("end", {"status": reader.FINISHED, "time": seal.run["end_time"]}),
    ]
