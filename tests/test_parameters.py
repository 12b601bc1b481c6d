import copy
import math
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pydantic
import pytest

from mnist_lstm.core.training.fingerprint import fingerprint
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import ROLES, Parameters, checked
from mnist_lstm.sections import changed, flat_fields, flattened

NOT_COUNTS = [0, -1, 1.5, 10.0, True, "10", None, [10]]
NOT_COUNTS_OR_NULL = [value for value in NOT_COUNTS if value is not None]
NOT_NUMBERS = [True, "0.1", "1e-3", None, math.nan, math.inf, -math.inf, [0.1]]
NOT_SHARES = [-0.1, 1, 1.0, *NOT_NUMBERS]
NOT_AMOUNTS = [-0.1, *NOT_NUMBERS]

WRONG: dict[str, list[Any]] = {
    "data.name": [None, 1, ["mnist"]],
    "data.path": [1, ["digits.csv"]],
    "data.subset": [True, 1.5, ["letters"]],
    "data.brightest": [0, -1.0, "white"],
    "data.kind": ["Images", "sequences", 1],
    "data.label_column": [True, 1.5, ["label"]],
    "data.size": [28, "28", "28x", "0x28", "28 x 28", [28, 28]],
    "data.transposed": [0, "true"],
    "data.dark_on_light": [1, "false"],
    "data.split": ["random", "70/30", "70/0/30", "0", -1, 0.5, None],
    "data.split_seed": [-1, 1.0, True, None, 2**64],
    "data.skip_unreadable": [0, "true", None],
    "data.mirror": [1, False, ["file:///data"]],
    "data.on_unreachable": ["stop", "Fail", None, True],
    "data.timeout": [0, -1.0, *NOT_NUMBERS],
    "sequence.view": ["row", "Rows", "", None, 1],
    "sequence.patch_size": NOT_COUNTS,
    "sequence.permutation_seed": [-1, 1.0, True, "1", None, 2**64],
    "model.cell": ["LSTM", "no such cell", None],
    "model.hidden_size": NOT_COUNTS,
    "model.num_layers": NOT_COUNTS,
    "model.bidirectional": [0, 1, "true", "yes", None],
    "model.pooling": ["first", "Last", None, True],
    "model.gates": ["Refined", "", None, True],
    "model.zoneout": NOT_SHARES,
    "model.dropout": NOT_SHARES,
    "model.forget_bias": NOT_NUMBERS,
    "model.initialization": ["tf", None],
    "training.seed": [-1, 1.0, True, "1", None, 2**64],
    "training.iterations": NOT_COUNTS_OR_NULL,
    "training.epochs": NOT_COUNTS_OR_NULL,
    "training.patience": NOT_COUNTS_OR_NULL,
    "training.batch_size": NOT_COUNTS,
    "training.shuffle_block": NOT_COUNTS_OR_NULL,
    "training.optimizer": ["Adam", "no such optimizer", None],
    "training.learning_rate": [0, -0.001, *NOT_NUMBERS],
    "training.schedule": ["linear", "Cosine", None],
    "training.warmup": [-1, 0.5, 10.0, True, "10", None],
    "training.weight_decay": NOT_AMOUNTS,
    "training.momentum": NOT_SHARES,
    "training.clip_norm": [0, -1.0, True, "1", math.nan, math.inf],
    "training.label_smoothing": NOT_SHARES,
    "training.ema_decay": NOT_SHARES,
    "training.augmentation.rotation": [-1, 181, *NOT_NUMBERS],
    "training.augmentation.scale": NOT_SHARES,
    "training.augmentation.shear": NOT_AMOUNTS,
    "training.augmentation.shift": NOT_AMOUNTS,
    "training.augmentation.elastic": NOT_AMOUNTS,
    "training.augmentation.elastic_sigma": [0, -1.0, *NOT_NUMBERS],
    "training.augmentation.pixel_dropout": NOT_SHARES,
    "training.log_every": NOT_COUNTS,
    "training.validate_every": NOT_COUNTS,
    "training.keep": ["first", None, True],
    "training.precision": ["float16", "bf16", None, 32],
    "training.engine": ["Ray", "mpi", None],
    "training.workers": NOT_COUNTS,
    "training.device": ["gpu", "cuda:0", None],
    "training.threads": NOT_COUNTS,
    "training.report_seconds": [-0.1, *NOT_NUMBERS],
    "training.resume": [0, 1, "true", "yes", None],
    "training.reuse": [0, 1, "true", "force", None],
    "evaluation.confidence": [0, 1, 0.0, 1.0, 95, *NOT_NUMBERS],
    "evaluation.batch_size": NOT_COUNTS,
    "evaluation.of": [1, True, ["latest"]],
    "predict.folder": [2024, True, ["pictures"]],
    "predict.model": [None, True, ["champion"]],
}


def with_value(raw: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(raw)
    *blocks, name = key.split(".")
    reduce(getitem, blocks, changed)[name] = value
    return changed


def without(raw: dict[str, Any], key: str) -> dict[str, Any]:
    changed = copy.deepcopy(raw)
    *blocks, name = key.split(".")
    del reduce(getitem, blocks, changed)[name]
    return changed


@pytest.mark.parametrize("key", ["data.path", "predict.folder"])
def test_python_may_give_a_path_as_a_path(raw: dict[str, Any], key: str) -> None:
    block, name = key.split(".")
    assert checked(with_value(raw, key, Path("my") / "digits")).model_dump()[block][name] == str(Path("my/digits"))


def test_the_base_parameters_are_valid_and_keep_their_values(raw: dict[str, Any]) -> None:
    assert checked(raw).model_dump() == raw


def test_every_key_of_the_classes_stands_in_parameters_yml_and_no_other(raw: dict[str, Any]) -> None:
    assert list(flat_fields(Parameters)) == list(flattened(raw))


def test_every_key_has_wrong_values_to_try(raw: dict[str, Any]) -> None:
    assert set(WRONG) == set(flattened(raw))


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in WRONG.items() for value in values])
def test_a_wrong_value_is_refused_by_its_key_and_itself(raw: dict[str, Any], key: str, value: Any) -> None:
    with pytest.raises(UserError) as refused:
        checked(with_value(raw, key, value))
    expected_error, _, see = str(refused.value).partition(". See ")
    assert expected_error.startswith(f"parameter '{key}' should be ")
    assert expected_error.endswith(f", not {value!r}")
    assert "parameters.yml" in see


@pytest.mark.parametrize("key", [*WRONG, "data", "model", "training"])
def test_a_missing_key_is_named(raw: dict[str, Any], key: str) -> None:
    with pytest.raises(UserError, match=rf"^parameter '{key}' is missing\. See"):
        checked(without(raw, key))


@pytest.mark.parametrize("value", [None, 3, "lstm", []])
def test_a_block_that_is_no_block_is_refused(raw: dict[str, Any], value: Any) -> None:
    with pytest.raises(UserError, match=r"^parameter 'model' must be a block of keys, not .* See conf/mine/"):
        checked(with_value(raw, "model", value), ("conf/mine/parameters.yml",))


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("trian", "training"),
        ("modle", "model"),
        ("data.mirrors", "data.mirror"),
        ("sequence.veiw", "sequence.view"),
        ("model.hiden_size", "model.hidden_size"),
        ("training.learning_rat", "training.learning_rate"),
        ("training.iteration", "training.iterations"),
        ("evaluation.confidense", "evaluation.confidence"),
        ("hidden_size", "model.hidden_size"),
        ("training.hidden_size", "model.hidden_size"),
        ("model.learning_rate", "training.learning_rate"),
    ],
)
def test_an_unknown_key_comes_with_the_most_similar_known_one(raw: dict[str, Any], key: str, meant: str) -> None:
    with pytest.raises(UserError, match=rf"^parameter '{key}' is unknown \(did you mean '{meant}'\?\)\. See"):
        checked(with_value(raw, key, 1))


def test_an_unknown_key_that_two_other_blocks_have_comes_with_both(raw: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"did you mean 'training\.batch_size' or 'evaluation\.batch_size'\?"):
        checked(with_value(raw, "data.batch_size", 1))


@pytest.mark.parametrize("key", ["zzz", "training.zzz", "model.q", "model.activation", "data.zip"])
def test_an_unknown_key_like_no_other_comes_without_a_guess(raw: dict[str, Any], key: str) -> None:
    with pytest.raises(UserError, match=rf"^parameter '{key}' is unknown\. See"):
        checked(with_value(raw, key, 1))


def test_all_mistakes_are_reported_at_once(raw: dict[str, Any]) -> None:
    raw = with_value(with_value(raw, "model.hidden_size", -1), "training.lerning_rate", 1)
    with pytest.raises(UserError, match=r"'model\.hidden_size' .*; parameter 'training\.lerning_rate' is unknown"):
        checked(without(raw, "data.name"))


@pytest.mark.parametrize(
    ("key", "value"),
    [("model.pooling", "attention"), ("model.zoneout", 0.1), ("training.engine", "ray"), ("training.device", "cuda")],
)
def test_what_cannot_train_in_portable_precision_is_refused_by_its_name(
    raw: dict[str, Any], key: str, value: Any
) -> None:
    assert checked(with_value(raw, key, value))
    with pytest.raises(
        UserError, match=rf"^parameter 'training.precision' portable needs '{key}' to be .*, not {value!r}\. See"
    ):
        checked(with_value(with_value(raw, key, value), "training.precision", "portable"))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"cell": "gru", "gates": "refined"}, "'model.gates' must be plain with the cell 'gru', not 'refined'"),
        ({"cell": "rnn", "zoneout": 0.1}, "'model.zoneout' must be 0.0 with the cell 'rnn', not 0.1"),
        ({"gates": "refined"}, "'model.forget_bias' must be 0 and .* not 1.0 and 'tensorflow'"),
        ({"gates": "refined", "forget_bias": 0.0, "initialization": "chrono"}, "must be 0 and .* 0.0 and 'chrono'"),
        ({"gates": "refined", "forget_bias": 0.0, "initialization": "uniform_gates"}, "0.0 and 'uniform_gates'"),
    ],
)
def test_gates_and_zoneout_that_a_cell_cannot_have_are_refused(
    raw: dict[str, Any], changes: dict[str, Any], error: str
) -> None:
    with pytest.raises(UserError, match=error):
        checked(raw | {"model": raw["model"] | changes})


def test_parameters_do_not_change_later(parameters: Parameters) -> None:
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        parameters.training.seed = 2


@pytest.mark.parametrize("key", ["model.forget_bias", "training.learning_rate", "data.timeout"])
def test_an_integer_is_accepted_for_a_float_and_means_the_same(raw: dict[str, Any], key: str) -> None:
    whole, fraction = (flattened(checked(with_value(raw, key, value)).model_dump()) for value in (2, 2.0))
    assert fingerprint(whole) == fingerprint(fraction)


@pytest.mark.parametrize(
    ("changes", "expected_error"),
    [
        ({"training.iterations": None}, "must be null, and the other a number, not None and None"),
        ({"training.epochs": 2}, "training.iterations' or 'training.epochs' must be null, .* not 799 and 2"),
        ({"training.warmup": 799}, "training.warmup' must be fewer than the 799 updates of .* not 799"),
        ({"training.workers": 2}, "training.workers' must be 1 without 'training.engine' ray, not 2"),
        (
            {"training.engine": "ray", "training.workers": 3},
            "training.batch_size' must be a multiple of the 3 'training.workers', not 128",
        ),
        ({"training.momentum": 0.9}, "training.momentum' must be 0 with the optimizer 'adam', .* not 0.9"),
    ],
)
def test_values_that_contradict_each_other_are_refused(
    raw: dict[str, Any], changes: dict[str, Any], expected_error: str
) -> None:
    for key, value in changes.items():
        raw = with_value(raw, key, value)
    with pytest.raises(UserError, match=rf"^parameter '.*{expected_error}"):
        checked(raw)


@pytest.mark.parametrize(
    ("key", "value"), [("split", "stratified"), ("transposed", True), ("dark_on_light", False), ("size", "8x8")]
)
def test_an_option_for_files_of_ones_own_is_refused_without_one(raw: dict[str, Any], key: str, value: Any) -> None:
    given = with_value(raw, f"data.{key}", value)
    with pytest.raises(UserError, match=rf"^parameter 'data\.{key}' is for files of your own"):
        checked(given)
    assert checked(with_value(given, "data.path", "mine.csv")).data.path == "mine.csv"


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_a_seed_is_any_32_bits(raw: dict[str, Any], seed: int) -> None:
    assert checked(with_value(raw, "training.seed", seed)).training.seed == seed


def test_nested_values_are_flattened_with_dots() -> None:
    assert flattened({"a": {"b": {"c": 1}, "d": None}, "e": [2]}) == {"a.b.c": 1, "a.d": None, "e": [2]}


def test_changes_with_dots_go_into_blocks_and_blocks_are_merged() -> None:
    before: dict[str, Any] = {"a": {"b": {"c": 1}}, "d": None, "e": [2]}
    assert changed(before, {"a.b.f": 3, "a": {"g": {}}, "d.h": 4, "e": None}) == {
        "a": {"b": {"c": 1, "f": 3}, "g": {}},
        "d": {"h": 4},
        "e": None,
    }
    assert before == {"a": {"b": {"c": 1}}, "d": None, "e": [2]}


DERIVED = {
    "no effect on the weights": (
        lambda role: not role.decides_weights,
        "data.mirror data.on_unreachable data.timeout evaluation.of predict.folder training.engine"
        " training.report_seconds training.resume training.reuse",
    ),
    "in the label": (
        lambda role: role.named == "label",
        "model.bidirectional model.cell model.hidden_size model.num_layers model.pooling sequence.view training.seed",
    ),
    "never in a name": (
        lambda role: role.named == "never" and not role.transient,
        "training.device training.log_every training.threads",
    ),
    "null names another": (lambda role: role.or_null, "training.epochs training.iterations"),
    "of this run alone": (
        lambda role: role.transient,
        "data.mirror data.on_unreachable data.timeout evaluation.of predict.folder training.report_seconds"
        " training.resume training.reuse",
    ),
    "with an effect in one case only": (
        lambda role: role.only_with,
        "data.brightest data.dark_on_light data.kind data.label_column data.size data.skip_unreadable data.split"
        " data.split_seed data.subset data.transposed model.forget_bias sequence.patch_size sequence.permutation_seed",
    ),
    "later than version 0.1": (
        lambda role: role.neutral,
        "model.gates model.zoneout training.augmentation.pixel_dropout training.shuffle_block",
    ),
    "hashed under another name": (lambda role: role.hashed_as, "model.pooling"),
}


@pytest.mark.parametrize("role", DERIVED)
def test_the_roles_select_these_parameters(role: str) -> None:
    has, keys = DERIVED[role]
    assert sorted(key for key, value in ROLES.items() if has(value)) == keys.split()


def test_a_role_refers_to_keys_and_values_that_exist(raw: dict[str, Any]) -> None:
    for other, value in (role.only_with for role in ROLES.values() if role.only_with):
        checked(with_value(raw, other, value))
