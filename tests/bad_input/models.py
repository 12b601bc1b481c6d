"""What an earlier run left, damaged or changed: a checkpoint that does not fit, and the model on record."""

import io
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import torch

from tests.bad_input import Change, Mistake, damaged, write
from tests.support.guard import Trap, saved
from tests.support.projects import Project

UNRECORDED = "data.name=digits,tracking.enabled=false"  # the parameters of the finished run
RECORDED = "mlartifacts/artifacts/checkpoint.pt"
CHAMPION = ("run", "--pipelines", "predict", "--params", "predict.folder=conf")


def node(name: str) -> tuple[str, ...]:
    """The words that run one node, unrecorded."""
    return ("run", "--nodes", name, "--params", UNRECORDED)


def doubled(content: bytes) -> bytes:
    """A checkpoint of twice the weights, whose checksums are right."""
    loaded = torch.load(io.BytesIO(content), weights_only=True)
    for weight in loaded["state"]["weights"].values():
        weight *= 2
    return saved(loaded)


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


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


def without_checkpoint(project: Project) -> None:
    (path,) = project.path.glob(RECORDED)
    path.unlink()


COMPLETE = (".pt", "must be a complete checkpoint")
CHECKPOINTS: dict[str, tuple[tuple[str, ...], Change]] = {
    "a checkpoint of another view": (("'rows'", "kedro run"), columns),
    "a checkpoint of other data": (("digits", "squares", "kedro run"), squares),
}
CHAMPIONS: dict[str, tuple[tuple[str, ...], Change]] = {
    "a champion with a flipped bit": (COMPLETE, damaged(RECORDED, flipped)),
    "a champion with code in it": (COMPLETE, damaged(RECORDED, lambda _: saved({"format": Trap()}))),
    "a champion with other weights than were recorded": (
        ("checkpoint.pt", "weights.sha256"),
        damaged(RECORDED, doubled),
    ),
    "a champion without its checkpoint": (("checkpoint.pt", "found none"), without_checkpoint),
}

MODELS = (
    {"checkpoints are not there yet": Mistake(("checkpoints",), node("predict_test"))}
    | {what: Mistake(names, node("predict_test"), change, True) for what, (names, change) in CHECKPOINTS.items()}
    | {what: Mistake(names, CHAMPION, with_records(change), True) for what, (names, change) in CHAMPIONS.items()}
)
