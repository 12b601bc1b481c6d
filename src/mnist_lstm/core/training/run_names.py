"""The name of a run: what it trains, and how it departs from the usual configuration."""

from typing import Any

from mnist_lstm.core.training.fingerprint import parameters_fingerprint_fields
from mnist_lstm.parameters import ROLES, ModelParameters, Parameters, SequenceParameters

MOST = 4  # departures shown; of the rest, their number


def label(model: ModelParameters, sequence: SequenceParameters, seed: int, kind: str = "images") -> str:
    """The short name of a training: "lstm128 rows s1", or "bigru64x2 mean columns s3" with two layers.

    `kind` is that of the data: series are read in "steps".
    """
    both = "bi" if model.bidirectional else ""
    layers = f"x{model.num_layers}" if model.num_layers > 1 else ""
    pooling = "" if model.pooling == "last" else f" {model.pooling}"
    return f"{both}{model.cell}{model.hidden_size}{layers}{pooling} {read_in(sequence, kind)} s{seed}"


def read_in(sequence: SequenceParameters, kind: str) -> str:
    """What is read at a time step: the view of an image, or "steps" of a series."""
    return sequence.view if kind == "images" else "steps"


def departures(parameters: Parameters, usual: dict[str, Any]) -> str:
    """The parameters that decide the weights and have unusual values, for the end of a name: " sgd momentum=0.9".

    Args:
        usual: flat values of the configuration that it departs from.
    """
    given = parameters_fingerprint_fields(parameters.sequence, parameters.model, parameters.training)
    words = [
        _word(key, value)
        for key, value in given.items()
        if ROLES[key].named == "departure" and value != usual.get(key) and not (value is None and ROLES[key].or_null)
    ]
    more = [f"+{len(words) - MOST}"] if len(words) > MOST else []
    return "".join(f" {word}" for word in words[:MOST] + more)


def _word(key: str, value: Any) -> str:
    """The value alone where it is a choice ("sgd"), otherwise with its key: "momentum=0.9", "precision=auto"."""
    if isinstance(value, str) and value != "auto":
        return value
    return f"{key.rpartition('.')[2]}={'null' if value is None else value}"
