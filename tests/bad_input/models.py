"""What an earlier run left, damaged or changed: arrays, tables, checkpoints, and the model on record."""

import io
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import torch

from tests.bad_input import Change, Mistake, damaged, each, write
from tests.bad_input.functions import one_node
from tests.support.projects import Project

UNRECORDED = "data.name=digits,tracking.enabled=false"  # the parameters of the finished run
CHECKPOINT, RECORDED = "data/06_models/checkpoints/*.pt", "mlartifacts/artifacts/checkpoint.pt"
CHAMPION = ("run", "--pipelines", "predict", "--params", "predict.folder=conf")
STORED = {
    "02_intermediate/data_card.json": ("score", "delete it"),
    "02_intermediate/train_images.npz": ("reshape", "must be a complete npz file"),
    "02_intermediate/test_images.npz": ("reshape", "must be a complete npz file"),
    "05_model_input/train_sequences.npz": ("train", "must be a complete npz file"),
    "05_model_input/test_sequences.npz": ("predict_test", "must be a complete npz file"),
    "06_models/checkpoints/new.pt": ("predict_test", "must be a complete checkpoint"),
    "07_model_output/predictions.npz": ("score", "must be a complete npz file"),
    "08_reporting/history.csv": ("draw_results", "delete it"),
}
MISSING = {
    "02_intermediate/train_images.npz": "reshape",
    "05_model_input/train_sequences.npz": "train",
    "06_models/checkpoints": "predict_test",
    "07_model_output/predictions.npz": "score",
}


def node(name: str) -> tuple[str, ...]:
    """The words that run one node, unrecorded."""
    return ("run", "--nodes", name, "--params", UNRECORDED)


def with_content(change: Callable[[dict[str, Any]], None], place: str = CHECKPOINT) -> Change:
    """Changes what a checkpoint holds, and writes it with checksums that are right."""

    def rewritten(content: bytes) -> bytes:
        loaded = torch.load(io.BytesIO(content), weights_only=True)
        change(loaded)
        buffer = io.BytesIO()
        torch.save(loaded, buffer)
        return buffer.getvalue()

    return damaged(place, rewritten)


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


class Trap:
    """Unpickled, it would run code."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, ("raise SystemExit('code ran')",)


def trapped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    torch.save({"format": Trap()}, buffer)
    return buffer.getvalue()


def columns(project: Project) -> None:
    """Reads the images by columns from now on, with the checkpoint of rows."""
    write("conf/local/parameters.yml", "sequence: {view: columns}\ntraining: {threads: 1}\n")(project)
    done = project.call(*node("reshape"))
    assert done.exit_code == 0, done.output


def squares(project: Project) -> None:
    """Puts other data, under another name, where the digits were."""
    path = project.path / "data/02_intermediate/data_card.json"
    path.write_text(path.read_text().replace('"name": "digits"', '"name": "squares"'))


def with_records(change: Change) -> Change:
    """First brings the recorded artifacts of the finished run into the copy of its project."""

    def done(project: Project) -> None:
        artifacts = Path(project.last_run().info.artifact_uri.removeprefix("file://"))
        shutil.copytree(artifacts, project.path / "mlartifacts/artifacts")
        with closing(sqlite3.connect(project.path / "mlflow.db")) as store, store:
            store.execute("UPDATE runs SET artifact_uri = ?", ((project.path / "mlartifacts/artifacts").as_uri(),))
        change(project)

    return done


def twice(loaded: dict[str, Any]) -> None:
    for weight in loaded["state"]["weights"].values():
        weight *= 2


doubled = with_content(twice, RECORDED)


def narrower(loaded: dict[str, Any]) -> None:
    loaded["model"]["hidden_size"] = 6


def without_readout(loaded: dict[str, Any]) -> None:
    del loaded["state"]["weights"]["readout.weight"]


def higher(loaded: dict[str, Any]) -> None:
    loaded["data"]["height"] = 9


def without_checkpoint(project: Project) -> None:
    (path,) = project.path.glob(RECORDED)
    path.unlink()


COMPLETE = (".pt", "must be a complete checkpoint")
CHECKPOINTS: dict[str, tuple[tuple[str, ...], Change]] = {
    "a checkpoint with a flipped bit": (COMPLETE, damaged(CHECKPOINT, flipped)),
    "a checkpoint cut short": (COMPLETE, damaged(CHECKPOINT, lambda content: content[:-500])),
    "a checkpoint with code in it": (COMPLETE, damaged(CHECKPOINT, trapped)),
    "a checkpoint whose weights are of another size": ((*COMPLETE, "size mismatch"), with_content(narrower)),
    "a checkpoint that lacks a weight": ((*COMPLETE, "readout.weight"), with_content(without_readout)),
    "a checkpoint for images of another size": (("(9, 8)", "(8, 8)", "kedro run"), with_content(higher)),
}
CHECKED_FIRST: dict[str, tuple[tuple[str, ...], Change]] = {
    "a checkpoint of another view": (("'rows'", "kedro run"), columns),
    "a checkpoint of other data": (("digits", "squares", "kedro run"), squares),
}
CHAMPIONS: dict[str, tuple[tuple[str, ...], Change]] = {
    "a champion with a flipped bit": (COMPLETE, damaged(RECORDED, flipped)),
    "a champion with code in it": (COMPLETE, damaged(RECORDED, trapped)),
    "a champion with other weights than were recorded": (("checkpoint.pt", "weights.sha256"), doubled),
    "a champion without its checkpoint": (("checkpoint.pt", "found none"), without_checkpoint),
}

MODELS = (
    each(
        {
            f"{name} is damaged": Mistake((Path(name).name, message), node(used_by), write(f"data/{name}", '"'), True)
            for name, (used_by, message) in STORED.items()
        }
        | {what: Mistake(names, node("predict_test"), change, True) for what, (names, change) in CHECKPOINTS.items()},
        one_node,
    )
    | {f"{name} is not there yet": Mistake((Path(name).name,), node(used_by)) for name, used_by in MISSING.items()}
    | {what: Mistake(names, node("predict_test"), change, True) for what, (names, change) in CHECKED_FIRST.items()}
    | {what: Mistake(names, CHAMPION, with_records(change), True) for what, (names, change) in CHAMPIONS.items()}
)
