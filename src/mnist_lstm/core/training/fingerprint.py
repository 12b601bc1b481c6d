"""What decides the weights of a training: what must be equal for two of them to be the same."""

import hashlib
import json
import re
from typing import Any

from mnist_lstm.core.data.sequences import SequenceSplit
from mnist_lstm.core.data.splits import digest
from mnist_lstm.core.training.arithmetic import arithmetic_of
from mnist_lstm.core.training.compute import chosen_device, chosen_precision
from mnist_lstm.parameters import ROLES, ModelParameters, SequenceParameters, TrainingParameters
from mnist_lstm.sections import flattened

DIGEST = re.compile(r"'[0-9a-f]{64}'")
# Parameters of later versions, and the value with which a run behaves as those of before
CAME_LATER = {key: role.neutral[0] for key, role in ROLES.items() if role.neutral}
HASHED_AS = {key: role.hashed_as for key, role in ROLES.items() if role.hashed_as}


def training_fingerprint_fields(
    sequence: SequenceParameters,
    model: ModelParameters,
    training: TrainingParameters,
    train: SequenceSplit,
    valid: SequenceSplit,
) -> dict[str, Any]:
    """Every parameter and digest that decides the weights, flat: what must be equal to continue a run.

    Raises:
        UserError: if the device that the parameters ask for, or its precision, is missing.
    """
    chosen = parameters_fingerprint_fields(sequence, model, training)
    device = chosen_device(training.device)
    chosen["training.device"] = device.type  # what `auto` found decides the last bits
    of_series = train.sequences.dtype.kind == "f"
    chosen["training.precision"] = chosen_precision(model, training, device, of_series)
    return chosen | {"data.train.sha256": digest(train.arrays()), "data.valid.sha256": digest(valid.arrays())}


def parameters_fingerprint_fields(
    sequence: SequenceParameters, model: ModelParameters, training: TrainingParameters
) -> dict[str, Any]:
    """Every parameter that decides the weights, flat, as it was given: device and precision may be "auto"."""
    sections = {"sequence": sequence.model_dump(), "model": model.model_dump(), "training": training.model_dump()}
    given = flattened(sections)
    return {key: value for key, value in given.items() if ROLES[key].decides_weights and ROLES[key].has_effect(given)}


def fingerprint(fields: dict[str, Any]) -> str:
    """The hash of the fingerprint fields, 16 hexadecimal digits.

    Older versions computed the same one: a newer parameter counts only where it has an effect, and a renamed one counts
    under its old name. The number of threads does not count where it changes no bit.
    """
    left_out = {"training.threads"} if arithmetic_of(fields).by_kernel else set()
    counting = [key for key in fields if (key, fields[key]) not in CAME_LATER.items() and key not in left_out]
    hashed = {HASHED_AS.get(key, key): fields[key] for key in counting}
    return hashlib.sha256(json.dumps(hashed, sort_keys=True).encode()).hexdigest()[:16]


def differences(now: dict[str, Any], then: dict[str, Any]) -> str:
    """What differs between the fingerprint fields of two trainings: "training.seed is 2, was 1"."""
    now, then = CAME_LATER | now, CAME_LATER | then
    keys = [key for key in {**now, **then} if now.get(key) != then.get(key)]
    return ", ".join(f"{key} is {_short(now.get(key))}, was {_short(then.get(key))}" for key in keys)


def _short(value: Any) -> str:
    text = repr(value)
    return f"{text[:13]}…" if DIGEST.fullmatch(text) else text
