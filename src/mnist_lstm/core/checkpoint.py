"""A file that describes itself: weights, what they are of, and all that training needs to continue."""

import hashlib
import io
import json
import logging
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

import torch
from torch import Tensor

from mnist_lstm.core.models import RecurrentClassifier, restored_classifier
from mnist_lstm.core.sequences import pixel_order
from mnist_lstm.core.splits import Arrays, digest
from mnist_lstm.core.training import Best, TrainingState
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import ModelParameters, SequenceParameters, TrainingParameters, flattened

logger = logging.getLogger(__name__)

FORMAT = "mnist_lstm checkpoint 1"
WITHOUT_EFFECT = {"training.resume", "training.report_seconds"}  # on the weights


@dataclass(frozen=True)
class Checkpoint:
    """A classifier in training or trained.

    Attributes:
        model, sequence: with which it rebuilds itself.
        data: the name of its data, the images' height and width, and the class names.
        identity: every parameter and digest that decides the weights; see `training_identity`.
        state: all that training needs to continue.
        keep: which weights classify, "last" or "best".
    """

    model: ModelParameters
    sequence: SequenceParameters
    data: dict[str, Any]
    identity: dict[str, Any]
    state: TrainingState
    keep: str

    @property
    def fingerprint(self) -> str:
        """The identity as 16 hexadecimal digits."""
        return fingerprint(self.identity)

    @property
    def weights(self) -> dict[str, Tensor]:
        """The weights that classify."""
        best = self.state.best
        return best.weights if self.keep == "best" and best else self.state.weights

    def order(self) -> Any:
        """The view's pixels, (T, F)."""
        return pixel_order(self.sequence.view, self.data["height"], self.data["width"])

    def classifier(self) -> RecurrentClassifier:
        """The classifier of sequences, ready to classify."""
        return restored_classifier(self.model, self.order().shape[1], self.weights)


def training_identity(
    sequence: SequenceParameters, model: ModelParameters, training: TrainingParameters, train: Arrays, valid: Arrays
) -> dict[str, Any]:
    """Every parameter and digest that decides the weights, flat: what must be equal to continue a run."""
    sections = {"sequence": sequence.model_dump(), "model": model.model_dump(), "training": training.model_dump()}
    chosen = {key: value for key, value in flattened(sections).items() if key not in WITHOUT_EFFECT}
    return chosen | {"data.train.sha256": digest(train), "data.valid.sha256": digest(valid)}


def fingerprint(identity: dict[str, Any]) -> str:
    """An identity as 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def differences(now: dict[str, Any], then: dict[str, Any]) -> str:
    """What differs between two identities, as one reads it: "training.seed is 2, was 1"."""
    keys = [key for key in {**now, **then} if now.get(key) != then.get(key)]
    return ", ".join(f"{key} is {_short(now.get(key))}, was {_short(then.get(key))}" for key in keys)


def _short(value: Any) -> str:
    text = repr(value)
    return f"{text[:13]}…" if len(text) > 40 else text


def weights_digest(weights: dict[str, Tensor]) -> str:
    """SHA-256 over name, dtype, shape and bytes of each tensor: equal exactly where every bit is."""
    sha = hashlib.sha256()
    for name in sorted(weights):
        array = weights[name].detach().cpu().contiguous().numpy()
        sha.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        sha.update(array.tobytes())
    return sha.hexdigest()


def to_bytes(checkpoint: Checkpoint) -> bytes:
    """The checkpoint as a file's content; equal checkpoints give equal bytes."""
    state = checkpoint.state
    content = {
        "format": FORMAT,
        "model": checkpoint.model.model_dump(),
        "sequence": checkpoint.sequence.model_dump(),
        "data": checkpoint.data,
        "identity": checkpoint.identity,
        "keep": checkpoint.keep,
        "state": {field: getattr(state, field) for field in TrainingState.__dataclass_fields__}
        | {"best": asdict(state.best) if state.best else None},
    }
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def from_bytes(content: bytes, name: str) -> Checkpoint:
    """The checkpoint in a file's content.

    Args:
        content: the whole file.
        name: what errors call the file.

    Raises:
        UserError: if the file is damaged or no checkpoint of this version.
    """
    broken = f"{name} must be a whole checkpoint of mnist_lstm"
    again = "delete it and train again (`kedro run --from-nodes train`)"
    try:
        check_every_byte(content)
        loaded = torch.load(io.BytesIO(content), weights_only=True)
        if loaded["format"] != FORMAT:
            raise UserError(f"{broken} in the format {FORMAT!r}, found {loaded['format']!r}; {again}.")
        state = dict(loaded["state"])
        best = Best(**state.pop("best")) if state["best"] else state.pop("best")
        return Checkpoint(
            ModelParameters(**loaded["model"]),
            SequenceParameters(**loaded["sequence"]),
            loaded["data"],
            loaded["identity"],
            TrainingState(**state, best=best),
            loaded["keep"],
        )
    except UserError:
        raise
    except Exception as error:  # torch, zipfile, pydantic and dict each have errors of their own for a damaged file
        reason = str(error).partition("\n")[0]
        raise UserError(f"{broken}, found {reason or type(error).__name__}; {again}.") from None


def check_every_byte(content: bytes) -> None:
    """torch.load checks no CRC, and a damaged file would load with other weights."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        damaged = archive.testzip()
    if damaged:
        raise zipfile.BadZipFile(f"damaged content in {damaged}")


def starting_state(
    interrupted: Mapping[str, Callable[[], Checkpoint]], identity: dict[str, Any], resume: bool
) -> TrainingState | None:
    """Where training starts: None at the beginning, or the state that an interrupted run of `identity` left.

    Args:
        interrupted: fingerprint to a function that reads that checkpoint, newest first.
        identity: of the run that starts.
        resume: whether to continue; otherwise a line in the log says so where one could.

    Raises:
        UserError: if there is nothing to continue, naming what differs from the newest.
    """
    found = interrupted.get(fingerprint(identity))
    if resume:
        return (found or _refuse(interrupted, identity))().state
    if found:
        _tell(found, identity["training.iterations"])
    return None


def _tell(found: Callable[[], Checkpoint], iterations: int) -> None:
    try:
        done = found().state.iteration
    except UserError as error:
        logger.warning("%s This run replaces it.", error)
        return
    if done < iterations:
        logger.warning(
            "An interrupted run of these parameters left a checkpoint at update %d of %d. This run starts anew and "
            "replaces it; to continue it instead: --params training.resume=true",
            done,
            iterations,
        )


def _refuse(interrupted: Mapping[str, Callable[[], Checkpoint]], identity: dict[str, Any]) -> NoReturn:
    if not interrupted:
        raise UserError("training.resume needs the checkpoint of an interrupted run, found none; leave it out.")
    newest = next(iter(interrupted.values()))()
    raise UserError(
        "training.resume needs the parameters and data of the interrupted run: "
        f"{differences(identity, newest.identity)}; set them back, or leave training.resume out."
    )


def expect_data(checkpoint: Checkpoint, card: dict[str, Any], part: Arrays) -> None:
    """Checks that a checkpoint fits the data it is to classify.

    Raises:
        UserError: if it was trained on other data, another size of image, or another view.
    """
    trained, given = checkpoint.data["name"], card["name"]
    wanted, found = checkpoint.order().shape, part["sequences"].shape[1:]
    if (trained, wanted) != (given, found):
        raise UserError(
            f"the checkpoint was trained on {trained} in sequences of {wanted}, found {given} in sequences of {found}; "
            "run the whole pipeline: `kedro run`."
        )
