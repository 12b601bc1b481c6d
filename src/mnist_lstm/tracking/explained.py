"""The page that explains recorded runs: written anew from the page that a run recorded, or from its checkpoint."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from mnist_lstm.core.data.sequences import to_sequences
from mnist_lstm.core.data.splits import ImageSplit, digest
from mnist_lstm.core.explain.content import Content, content
from mnist_lstm.core.explain.page import content_of, page, reason_against
from mnist_lstm.core.training.snapshots import Snapshots
from mnist_lstm.errors import UserError
from mnist_lstm.tracking import load_model, reader, store

TEST_IMAGES = "data/02_intermediate/test_images.npz"


def explained(project: Path, named: tuple[str, ...], test_images: Callable[[], ImageSplit]) -> tuple[str, str]:
    """The page about a run, with a second run's network if two are named, and the first run's id.

    Args:
        named: one or two: "champion", a run's id or name, or "latest".
        test_images: loads those of the last run, for runs that recorded no page of this version.

    Raises:
        UserError: if a run does not exist or did not train, or the two read other images or classes.
    """
    client, _, experiment, registered = store.opened(project)
    runs = [load_model.run_called(client, experiment, registered, name) for name in named]
    contents = [_content(project, client, run_id, test_images) for run_id in runs]
    first, last = (each["about"] for each in (contents[0], contents[-1]))
    if any(first[key] != last[key] for key in ("height", "width", "names")):
        raise UserError(f"two runs on one page must read the same images, found {first['title']} and {last['title']}.")
    return page(*contents), runs[0]


def _content(project: Path, client: Any, run_id: str, test_images: Callable[[], ImageSplit]) -> Content:
    """That of the recorded page; where that is of another version, made anew without snapshots, which are gone."""
    recorded = reader.fetched(client, run_id, "explain.html")
    if recorded and (found := content_of(recorded.decode())):
        return found
    checkpoint = load_model.of_run(client, run_id)
    if reason := reason_against(checkpoint):
        raise UserError(reason)
    provenance = json.loads(reader.fetched(client, run_id, "provenance.json") or b"{}")
    images = test_images() if (project / TEST_IMAGES).exists() else None
    if images is None or digest(images.arrays()) != provenance.get("data", {}).get("sha256", {}).get("test"):
        raise UserError(
            f"run {run_id} recorded no page, so {TEST_IMAGES} must hold its test images, found others; make them: "
            f"`kedro run --pipelines ingest --params data.name={checkpoint.data.name}`."
        )
    tested, by_step = reader.predictions(client, run_id), reader.fetched(client, run_id, "accuracy_by_step.csv")
    steps = pd.read_csv(io.BytesIO(by_step)).to_dict("list") if by_step else None
    sequences = to_sequences(images.images, checkpoint.pixel_order())
    return content(checkpoint, Snapshots("", {}), sequences, tested, steps)
