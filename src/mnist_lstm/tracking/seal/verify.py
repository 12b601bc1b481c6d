"""Checks what a seal claims, without the store or the history of the project that made it."""

from math import isclose
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from mnist_lstm.core.data.bundled_digits import NAME as BUNDLED
from mnist_lstm.core.data.sequences import sequence_split
from mnist_lstm.core.data.splits import ImageSplit, digest
from mnist_lstm.core.evaluation.metrics import Predictions, summarize
from mnist_lstm.data_parameters import DataParameters
from mnist_lstm.errors import UserError
from mnist_lstm.temporary_folder import temporary_folder
from mnist_lstm.tracking import reader, store
from mnist_lstm.tracking.reproduce.drift import Difference
from mnist_lstm.tracking.reproduce.rerun import Again, run_again
from mnist_lstm.tracking.reproduce.verdict import Verdict, compared, largest_difference
from mnist_lstm.tracking.seal.contents import Seal
from mnist_lstm.tracking.seal.importing import recorded

ROUNDING = 1e-5  # largest difference of a probability that another processor's rounding may make
METRICS_ROUNDING = 1e-9  # relative, of a metric computed from the same predictions


def scored(project: Path, seal: Seal, data: str | None) -> list[Verdict]:
    """Whether the predictions are those of the weights on the test images, and the metrics those of the predictions.

    Args:
        data: where its data are: of a source, a folder with the files; of one's own, the file or folder.

    Raises:
        UserError: if `data` is given and does not hold the run's data.
    """
    try:
        images = _test_images(project, seal, data)
    except UserError as error:
        if data is not None:
            raise
        return [Verdict(True, f"predictions: not made anew, as the data are not here: {error}"), _metrics(seal)]
    return [_predictions(seal, images), _metrics(seal)]


def data_parameters(project: Path, seal: Seal, data: str | None) -> dict[str, Any]:
    """The block `data` by which the run's data are read here.

    Raises:
        UserError: if they are the author's own, and `data` does not say where they are.
    """
    here = store.config_loader(project)["parameters"]["data"]
    given: dict[str, Any] = here | {"path": None} | seal.provenance["parameters"]["data"]
    if data and given["path"] is None and seal.card.name == BUNDLED:
        raise UserError(f"--data must be left out for {seal.card.title}, which scikit-learn brings, found {data!r}.")
    if given["path"] is None:
        place = Path(data).absolute().as_uri() if data else None
        return given | {"name": seal.card.name, "mirror": place, "on_unreachable": "fail"}
    if data is None:
        raise UserError(f"they are {seal.card.title}, the author's own: --data PATH says where they are.")
    return given | {"path": str(Path(data).absolute())}


def _test_images(project: Path, seal: Seal, data: str | None) -> ImageSplit:
    """The test images with their labels."""
    entry = store.config_loader(project)["catalog"]["image_sources"]
    dataset = AbstractDataset.from_config("image_sources", entry | {"path": str(project / entry["path"])})
    given = DataParameters.model_validate(data_parameters(project, seal, data))
    found: ImageSplit = dataset.load()(given)(given).test
    if (images := digest(found.arrays())) != seal.card.sha256["test"]:
        raise UserError(
            f"the test {seal.card.noun.many} must have the SHA-256 {seal.card.sha256['test']}, found {images}."
        )
    return found


def _predictions(seal: Seal, images: ImageSplit) -> Verdict:
    checkpoint = seal.checkpoint
    sequences = sequence_split(images, checkpoint.pixel_order()).sequences
    logits = checkpoint.logits(sequences, seal.provenance["parameters"]["evaluation"]["batch_size"])
    found, claimed = Predictions(logits, images.labels), seal.predictions
    what = f"predictions: made anew from the weights on {len(images):,} test {seal.card.noun.many} of {seal.card.title}"
    if logits.tobytes() == claimed.logits.tobytes() and (images.labels == claimed.labels).all():
        return Verdict(True, f"{what}, equal to the bit")
    largest = largest_difference(claimed, found)
    if largest <= ROUNDING:
        return Verdict(True, f"{what}, equal within {largest:.1e} of every probability")
    return Verdict(False, f"{what}, DIFFERENT from the sealed ones, by up to {largest:.2g} of a probability")


def _metrics(seal: Seal) -> Verdict:
    """Whether the metrics follow from the sealed predictions."""
    confidence = seal.metrics.get("confidence", seal.provenance["parameters"]["evaluation"]["confidence"])
    now = summarize(seal.predictions.logits, seal.predictions.labels, confidence)
    then = {name: value for name, value in seal.metrics.items() if name in now}
    what = "metrics: computed anew from the sealed predictions and labels"
    wrong = [name for name in then if not isclose(then[name], now[name], rel_tol=METRICS_ROUNDING)]
    if wrong or "test/accuracy" not in then:
        found = ", ".join(f"{name} is {now[name]:.6g}, the seal says {then[name]:.6g}" for name in wrong)
        return Verdict(False, f"{what}, DIFFERENT: {found or 'the seal has no test/accuracy'}")
    low, high = (now[f"test/accuracy_{end}"] for end in ("low", "high"))
    accuracy = f"accuracy {now['test/accuracy']:.4f} ({low:.4f} to {high:.4f})"
    return Verdict(True, f"{what}, all {len(then)} equal: {accuracy}")


def trained_again(project: Path, seal: Seal, data: str | None, found: list[Difference]) -> Verdict:
    """Trains the run again, in a store of its own that is deleted then, and compares as `kedro reproduce` does.

    Raises:
        UserError: if the new run does not finish.
    """
    seal.provenance["parameters"]["data"] |= data_parameters(project, seal, data)
    with temporary_folder() as place:
        uri = store.own_uri(place)
        client = store.client(place, uri)
        experiment = "sealed"
        run_id = recorded(client, store.experiment_id(client, experiment, place, uri), seal)
        then = reader.read(client, client.get_run(run_id))
        new = run_again(Again(then, project, uri, experiment), client, checkout=False, allow_differences=True)
        return compared(then, reader.read(client, new), found)
