"""What decides the weights of a training: what must be equal for two of them to be the same."""

import hashlib
import json
from typing import Any

from mnist_lstm.core.data.splits import Arrays, digest
from mnist_lstm.core.training.compute import chosen_device, chosen_precision
from mnist_lstm.parameters import ModelParameters, SequenceParameters, TrainingParameters, flattened
from mnist_lstm.renamed_parameters import RENAMED

WITHOUT_EFFECT = {"training.resume", "training.report_seconds", "training.engine"}  # on the weights
# Parameters that have an effect only where another has this value
ONLY_WITH = {
    "sequence.patch_size": ("sequence.view", "patches"),
    "sequence.permutation_seed": ("sequence.view", "permuted_pixels"),
    "model.forget_bias": ("model.cell", "lstm"),
}
# Parameters that came later, with the value that says what was so before: an older record is as good as one with it
CAME_LATER = {"training.shuffle_block": None}


def training_fingerprint_fields(
    sequence: SequenceParameters, model: ModelParameters, training: TrainingParameters, train: Arrays, valid: Arrays
) -> dict[str, Any]:
    """Every parameter and digest that decides the weights, flat: what must be equal to continue a run.

    Raises:
        UserError: if the device that the parameters ask for, or its bfloat16, is missing.
    """
    chosen = parameters_fingerprint_fields(sequence, model, training)
    device = chosen_device(training.device)
    chosen["training.device"] = device.type  # what `auto` found decides the last bits
    chosen["training.precision"] = chosen_precision(training.precision, device)
    return chosen | {"data.train.sha256": digest(train), "data.valid.sha256": digest(valid)}


def parameters_fingerprint_fields(
    sequence: SequenceParameters, model: ModelParameters, training: TrainingParameters
) -> dict[str, Any]:
    """Every parameter that decides the weights, flat, as it was given: device and precision may be "auto"."""
    sections = {"sequence": sequence.model_dump(), "model": model.model_dump(), "training": training.model_dump()}
    given = flattened(sections)
    idle = {key for key, (other, value) in ONLY_WITH.items() if given[other] != value}
    return {key: value for key, value in given.items() if key not in WITHOUT_EFFECT | idle}


def fingerprint(fields: dict[str, Any]) -> str:
    """The hash of the fingerprint fields, 16 hexadecimal digits.

    Older versions computed the same one: a newer parameter counts only where it has an effect, and a renamed one counts
    under its old name.
    """
    old_names = {new: old for old, new in RENAMED.items()}
    hashed = {old_names.get(key, key): value for key, value in fields.items() if (key, value) not in CAME_LATER.items()}
    return hashlib.sha256(json.dumps(hashed, sort_keys=True).encode()).hexdigest()[:16]


def differences(now: dict[str, Any], then: dict[str, Any]) -> str:
    """What differs between the fingerprint fields of two trainings: "training.seed is 2, was 1"."""
    keys = [key for key in {**now, **then} if now.get(key) != then.get(key)]
    return ", ".join(f"{key} is {_short(now.get(key))}, was {_short(then.get(key))}" for key in keys)


def _short(value: Any) -> str:
    text = repr(value)
    return f"{text[:13]}…" if len(text) > 40 else text
