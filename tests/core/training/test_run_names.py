from typing import Any

import pytest

from mnist_lstm.core.training.run_names import departures, label
from mnist_lstm.parameters import Parameters, checked
from mnist_lstm.sections import flattened


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({}, "lstm128 rows s1"),
        ({"cell": "gru"}, "gru128 rows s1"),
        ({"bidirectional": True}, "bilstm128 rows s1"),
        ({"cell": "rnn", "num_layers": 2, "hidden_size": 64, "pooling": "mean"}, "rnn64x2 mean rows s1"),
    ],
)
def test_a_run_is_called_what_it_trains(parameters: Parameters, model: dict[str, Any], words: str) -> None:
    assert label(parameters.model.model_copy(update=model), parameters.sequence, 1) == words


def departing(parameters: Parameters, **changes: Any) -> str:
    """How a run of the base parameters with other ones differs from it; `__` stands for the dot."""
    values = parameters.model_dump()
    for name, value in changes.items():
        block, _, key = name.partition("__")
        values[block] |= {key: value}
    return departures(checked(values), flattened(parameters.model_dump()))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"training__optimizer": "sgd", "training__momentum": 0.9}, " sgd momentum=0.9"),
        ({"training__learning_rate": 0.01}, " learning_rate=0.01"),
        ({"training__iterations": None, "training__epochs": 5}, " epochs=5"),
        ({"training__schedule": "cosine", "training__precision": "bfloat16"}, " cosine bfloat16"),
        ({"training__precision": "float32"}, " float32"),
        ({"model__dropout": 0.2, "model__forget_bias": 0.0}, " dropout=0.2 forget_bias=0.0"),
        ({"model__cell": "gru", "model__forget_bias": 0.0}, ""),
        ({"sequence__view": "patches", "sequence__patch_size": 7}, " patch_size=7"),
        ({"training__seed": 3, "training__threads": 1, "training__resume": True, "training__log_every": 3}, ""),
        ({"data__name": "digits", "evaluation__confidence": 0.9}, ""),
        (
            {f"training__{key}": 0.5 for key in ("learning_rate", "clip_norm", "label_smoothing", "ema_decay")}
            | {"training__warmup": 3, "training__keep": "best"},
            " learning_rate=0.5 warmup=3 clip_norm=0.5 label_smoothing=0.5 +2",
        ),
    ],
)
def test_a_run_is_told_from_others_by_what_it_does_otherwise(
    parameters: Parameters, changes: dict[str, Any], words: str
) -> None:
    assert departing(parameters, **changes) == words


def test_what_a_preset_gives_and_a_run_takes_back_is_told(parameters: Parameters) -> None:
    usual = flattened(parameters.model_dump()) | {"training.clip_norm": 1.0, "training.epochs": 3}
    assert departures(parameters, usual) == " clip_norm=null"
