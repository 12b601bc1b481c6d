"""What a run is called: in a few words, what it trains and what tells it from others."""

from typing import Any

from mnist_lstm.core.training.fingerprint import parameters_fingerprint_fields
from mnist_lstm.parameters import ModelParameters, Parameters, SequenceParameters

# What the label tells already, and what hardly changes a result
TOLD = ("sequence.view", "model.cell", "model.hidden_size", "model.num_layers", "model.bidirectional", "model.pooling")
QUIET = ("training.seed", "training.device", "training.threads", "training.log_every")
MOST = 4  # departures that are told; of more, their number


def label(model: ModelParameters, sequence: SequenceParameters, seed: int) -> str:
    """What is trained, in a few words: "lstm128 rows s1", or "bigru64x2 mean columns s3" with two layers."""
    both = "bi" if model.bidirectional else ""
    layers = f"x{model.num_layers}" if model.num_layers > 1 else ""
    pooling = "" if model.pooling == "last" else f" {model.pooling}"
    return f"{both}{model.cell}{model.hidden_size}{layers}{pooling} {sequence.view} s{seed}"


def departures(parameters: Parameters, usual: dict[str, Any]) -> str:
    """The parameters that decide the weights and are not the usual ones, for the end of a name: " sgd momentum=0.9".

    Args:
        parameters: of the run.
        usual: flat values of the configuration that it departs from.
    """
    given = parameters_fingerprint_fields(parameters.sequence, parameters.model, parameters.training)
    other = [key for key, value in given.items() if key not in TOLD + QUIET and value != usual.get(key)]
    words = [_word(key, given[key]) for key in other if (key, given[key]) not in UNUSED]
    more = [f"+{len(words) - MOST}"] if len(words) > MOST else []
    return "".join(f" {word}" for word in words[:MOST] + more)


UNUSED = (("training.iterations", None), ("training.epochs", None))  # one of them is, and the other tells


def _word(key: str, value: Any) -> str:
    """A choice stands for itself, any other value, and what is left to the machine, beside its name."""
    if isinstance(value, str) and value != "auto":
        return value
    return f"{key.rpartition('.')[2]}={'null' if value is None else value}"
