"""Self-describing checkpoints: the weights, how they were trained, and the state to resume from."""

import io
import sys
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnist_lstm.core.data.data_card import DataProfile
from mnist_lstm.core.data.sequences import pixel_order_for, to_images
from mnist_lstm.core.data.splits import digest
from mnist_lstm.core.model.classifier import RecurrentClassifier, classify, expect_fit, restored_classifier
from mnist_lstm.core.training.arithmetic import layers_here
from mnist_lstm.core.training.compute import threads
from mnist_lstm.core.training.fingerprint import fingerprint
from mnist_lstm.core.training.learner import Best, TrainingState
from mnist_lstm.core.training.run_names import label, read_in
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import ModelParameters, SequenceParameters
from mnist_lstm.renamed_parameters import with_current_names

FORMAT = "mnist_lstm checkpoint 2"


@dataclass(frozen=True)
class Checkpoint:
    """A classifier, during or after training."""

    model: ModelParameters  # these parameters and the next rebuild the classifier
    sequence: SequenceParameters
    data: DataProfile  # facts about the training data
    fingerprint_fields: dict[str, Any]  # every parameter and digest that determines the weights
    state: TrainingState  # all that training needs to continue
    keep: str  # which weights classify, "last" or "best"
    # The program that trained it (`core.training.program`); empty if a version before 0.2 did
    program: dict[str, Any] = field(default_factory=dict)
    # The recorded run that trained these weights, where the present one reuses them; not in the file
    weights_of: str | None = None
    # Arrays of `core.inference.typical.Typical`; empty before training ends, or where they are unknown
    typical: dict[str, Tensor] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """The hash of the fingerprint fields, 16 hexadecimal digits."""
        return fingerprint(self.fingerprint_fields)

    @property
    def label(self) -> str:
        """A short name of the training: "lstm128 rows s1"."""
        return label(self.model, self.sequence, self.fingerprint_fields["training.seed"], self.data.kind)

    @property
    def weights(self) -> dict[str, Tensor]:
        """The weights that classify: the last or the best."""
        best = self.state.best
        return best.weights if self.keep == "best" and best else self.state.classifying

    @property
    def threads(self) -> int:
        """The number of CPU threads of its training, with which an evaluation gives the same bits anywhere."""
        return int(self.fingerprint_fields["training.threads"])

    def pixel_order(self) -> Any:
        """The pixel order of the view, (T, F)."""
        return pixel_order_for(self.sequence, *self.data.image_shape)

    @property
    def view(self) -> str:
        """What is read at a time step: the view of an image, or "steps" of a series."""
        return read_in(self.sequence, self.data.kind)

    def pictures(self, sequences: NDArray[Any]) -> NDArray[Any]:
        """What figures show of sequences (N, T, F): images (N, height, width), or scaled series."""
        return self.drawn(to_images(sequences, self.pixel_order(), *self.data.image_shape))

    def drawn(self, images: NDArray[Any]) -> NDArray[Any]:
        """What figures show of raw input: images as they are, series (..., T, F) scaled, nan after their end."""
        if self.data.kind == "images":
            return images
        mean, deviation = (self.weights[name].numpy() for name in ("mean", "deviation"))
        return (images - mean) / deviation  # type: ignore[no-any-return]

    def classifier(self) -> RecurrentClassifier:
        """The classifier of sequences, in evaluation mode."""
        return restored_classifier(self.model, self.pixel_order().shape[1], self.weights)

    def logits(self, sequences: NDArray[Any], batch_size: int) -> NDArray[np.float32]:
        """Logits (N, K) of sequences (N, T, F), with the bits of the arithmetic and threads of the training.

        Torch classifies what the kernel trained if it is not built here; a log line says so.
        """
        classifier = self.classifier()
        with threads(self.threads), layers_here(self.fingerprint_fields["training.precision"], classifier):
            return classify(classifier, sequences, batch_size)


def weights_digest(weights: dict[str, Tensor]) -> str:
    """SHA-256 over name, dtype, shape and bytes of each tensor: equal if and only if all bits are equal."""
    return digest({name: weight.detach().cpu().numpy() for name, weight in weights.items()})


def to_bytes(checkpoint: Checkpoint) -> bytes:
    """The content of a checkpoint file; equal checkpoints give equal bytes."""
    state = checkpoint.state
    content = {
        "format": FORMAT,
        "model": checkpoint.model.model_dump(),
        "sequence": checkpoint.sequence.model_dump(),
        "data": asdict(checkpoint.data),
        "identity": checkpoint.fingerprint_fields,
        "keep": checkpoint.keep,
        "program": checkpoint.program,
        "state": {name: getattr(state, name) for name in TrainingState.__dataclass_fields__}
        | {"best": asdict(state.best) if state.best else None},
    } | ({"typical": checkpoint.typical} if checkpoint.typical else {})
    buffer = io.BytesIO()
    torch.save(_interned(content), buffer)
    return buffer.getvalue()


def _interned(value: Any) -> Any:
    """The same value with one object per distinct string; torch.save writes equal strings once per object."""
    if isinstance(value, str):
        return sys.intern(value)
    if isinstance(value, dict):
        return {_interned(key): _interned(item) for key, item in value.items()}
    return [_interned(item) for item in value] if isinstance(value, list) else value


def from_bytes(content: bytes, name: str) -> Checkpoint:
    """The checkpoint in the content of a file, which errors call `name`.

    Raises:
        UserError: if the file is damaged or not a checkpoint of this version.
    """
    broken = f"{name} must be a complete checkpoint of mnist_lstm"
    again = "delete it and train again (`kedro run --from-nodes train`)"
    try:
        check_every_byte(content)
        loaded = torch.load(io.BytesIO(content), weights_only=True)
        if loaded["format"] != FORMAT:
            raise UserError(f"{broken} in the format {FORMAT!r}, found {loaded['format']!r}; {again}.")
        state = loaded["state"]
        best = state["best"] and Best(**state["best"])
        found = Checkpoint(
            ModelParameters.recorded(loaded["model"]),
            SequenceParameters(**loaded["sequence"]),
            DataProfile.from_dict(loaded["data"]),
            with_current_names(loaded["identity"]),
            TrainingState(**state | {"best": best}),
            loaded["keep"],
            loaded.get("program", {}),
            typical=loaded.get("typical", {}),
        )
        expect_fit(found.model, found.pixel_order().shape[1], found.weights)
        return found
    except UserError:
        raise
    except Exception as error:  # torch, zipfile, pydantic and dict raise different errors for damaged files
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{broken}, found {reason}; {again}.") from None


def from_file(path: Path) -> Checkpoint:
    """The checkpoint in a file.

    Raises:
        UserError: if it does not fit into memory, is damaged, or is no checkpoint of this version.
    """
    size, free = path.stat().st_size, psutil.virtual_memory().available
    if size > free:
        raise UserError(
            f"{path} must be a checkpoint that fits into memory, found {size / 2**30:.1f} GiB where "
            f"{free / 2**30:.1f} are free; is it another file?"
        )
    return from_bytes(path.read_bytes(), str(path))


def check_every_byte(content: bytes) -> None:
    """Checks the CRC of each entry and rejects entries with file attributes.

    torch.load checks no CRC, so a damaged file would load with wrong weights. It also skips entries marked as folders
    and leaves their tensors uninitialized; torch itself writes no attributes.

    Raises:
        zipfile.BadZipFile: if a check fails.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        marked = [entry.filename for entry in archive.infolist() if entry.external_attr]
        damaged = archive.testzip() or next(iter(marked), None)
    if damaged:
        raise zipfile.BadZipFile(f"damaged content in {damaged}")
