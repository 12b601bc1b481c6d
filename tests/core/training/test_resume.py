"""Continuing an interrupted run: with the same bits, and only with the same parameters and data."""

import re
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from mnist_lstm.core.training.checkpoint import Checkpoint, from_bytes, to_bytes
from mnist_lstm.core.training.fingerprint import differences, fingerprint
from mnist_lstm.core.training.learner import Best
from mnist_lstm.core.training.program import PACKAGE, program, program_continuing, sources
from mnist_lstm.core.training.resume import checkpoint_to_continue
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import Parameters
from mnist_lstm.sections import flat_fields
from tests.conftest import Sequences
from tests.core.conftest import WAYS, Trial, assert_same_bits


@pytest.mark.parametrize("way", [{}, *WAYS.values()], ids=["plain", *WAYS])
def test_a_resumed_run_ends_with_the_same_bits(trial: Trial, way: dict[str, Any]) -> None:
    *interrupted, last = trial.states(**way)
    for stopped in (interrupted[0], interrupted[3]) if way else interrupted:
        assert_same_bits(trial.states(stopped, **way)[-1], last)


def test_a_run_with_zoneout_and_refined_gates_resumes_to_the_same_bits(trial: Trial) -> None:
    changes = {"gates": "refined", "forget_bias": 0.0, "zoneout": 0.2, "num_layers": 2, "dropout": 0.1}
    trial = trial.other(changes)
    *interrupted, last = trial.states(ema_decay=0.9)
    for stopped in (interrupted[0], interrupted[3]):
        assert_same_bits(trial.states(stopped, ema_decay=0.9)[-1], last)


def test_a_run_resumed_without_its_average_leaves_the_path(trial: Trial) -> None:
    *_, stopped, last = trial.states(ema_decay=0.9)
    elsewhere = trial.states(replace(stopped, average=stopped.weights), ema_decay=0.9)[-1]
    assert_close(elsewhere.weights, last.weights, rtol=0, atol=0)
    with pytest.raises(AssertionError):
        assert_close(elsewhere.average, last.average, rtol=0, atol=0)


@pytest.mark.parametrize(("patience", "last"), [(1, 10), (None, 12)])
def test_a_run_that_has_ended_resumes_to_its_end(trial: Trial, patience: int | None, last: int) -> None:
    changes: dict[str, Any] = {"patience": patience, "learning_rate": 1e-9}
    ended = trial.states(**changes)[-1]
    assert (ended.iteration, ended.ended) == (last, True)
    (report,) = trial.reports(ended, **changes)
    assert (report.update, report.history) == (last, ended.history)
    assert_same_bits(report.state(), ended)


@pytest.mark.parametrize(
    ("elsewhere", "iterations"),
    [
        ({"random_state": torch.Generator().manual_seed(99).get_state()}, 12),
        ({"iteration": 9}, 11),
        ({"optimizer": {}}, 12),
    ],
    ids=["drops out other units", "reads other batches", "has no moments"],
)
def test_a_run_resumed_with_another_state_leaves_the_path(
    trial: Trial, elsewhere: dict[str, Any], iterations: int
) -> None:
    *_, stopped, last = trial.states()
    assert (stopped.iteration, last.iteration) == (10, 12)
    if "optimizer" in elsewhere:
        elsewhere = {"optimizer": {**stopped.optimizer, "state": {}}}
    other = trial.states(replace(stopped, **elsewhere), iterations=iterations)[-1]
    assert not torch.equal(other.weights["readout.weight"], last.weights["readout.weight"])


def test_a_resumed_run_still_has_the_best_weights_of_before(trial: Trial) -> None:
    best = Best(iteration=5, accuracy=1.0, weights={"readout.bias": torch.ones(3)})
    stopped = replace(trial.states()[2], best=best)
    assert trial.states(stopped)[-1].best is best


def test_to_resume_changes_nothing_in_the_state_it_starts_from(trial: Trial) -> None:
    first, same = trial.states()[0], trial.states()[0]
    trial.states(first)
    assert_same_bits(first, same)


WITHOUT_EFFECT = ["training.resume", "training.reuse", "training.report_seconds", "training.engine"]
DECIDING = ("sequence", "model", "training")
FIELDS = [key for key in flat_fields(Parameters) if key.startswith(DECIDING) and key != "training.device"]


def changed(parameters: Any, field: str) -> Any:
    """The parameters with another value in one field."""
    block, _, rest = field.partition(".")
    value = getattr(parameters, block)
    other = changed(value, rest) if rest else another(value)
    return parameters.model_copy(update={block: other})


def another(value: Any) -> Any:
    if isinstance(value, str):
        return f"{value} or so"
    return not value if isinstance(value, bool) else (value or 0) + 1


IDLE = ["sequence.patch_size", "sequence.permutation_seed"]  # where the view is rows


@pytest.mark.parametrize("field", FIELDS)
def test_a_fingerprint_changes_with_every_parameter_that_decides_the_weights(
    parameters: Parameters, sequences: Sequences, field: str
) -> None:
    training = parameters.training.model_copy(update={"precision": "float32"})  # as `auto` depends on the rest
    one = parameters.model_copy(update={"training": training})
    before, after = (Trial(each, sequences).fingerprint_fields() for each in (one, changed(one, field)))
    assert (fingerprint(after) == fingerprint(before)) == (field in [*WITHOUT_EFFECT, *IDLE])


def test_a_checkpoint_from_before_a_parameter_can_be_resumed_with_its_neutral_value(trial: Trial) -> None:
    now = trial.fingerprint_fields()
    later = {"training.shuffle_block": 5, "model.gates": "refined", "model.zoneout": 0.1}
    older = {key: value for key, value in now.items() if key not in later}
    assert fingerprint(older) == fingerprint(now)
    assert differences(now, older) == ""
    for key, value in later.items():
        assert fingerprint(older) != fingerprint(now | {key: value})


@pytest.mark.parametrize(
    ("field", "with_effect", "without"),
    [
        ("sequence.patch_size", {"view": "patches"}, {"view": "pixels"}),
        ("sequence.permutation_seed", {"view": "permuted_pixels"}, {"view": "pixels"}),
        ("model.forget_bias", {"cell": "lstm"}, {"cell": "gru"}),
    ],
)
def test_a_parameter_of_one_choice_decides_only_where_that_is_chosen(
    parameters: Parameters, sequences: Sequences, field: str, with_effect: dict[str, str], without: dict[str, str]
) -> None:
    block = field.partition(".")[0]
    for choice, expected in ((with_effect, True), (without, False)):
        section = getattr(parameters, block).model_copy(update=choice)
        one = parameters.model_copy(update={block: section})
        prints = [fingerprint(Trial(each, sequences).fingerprint_fields()) for each in (one, changed(one, field))]
        assert (prints[0] != prints[1]) == expected


@pytest.mark.parametrize(
    ("requested", "there", "device"),
    [
        ("auto", False, "cpu"),
        ("cpu", False, "cpu"),
        ("auto", True, "cuda"),
        ("cpu", True, "cpu"),
        ("cuda", True, "cuda"),
    ],
)
def test_a_fingerprint_knows_the_device_that_trains_whoever_chose_it(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, requested: str, there: bool, device: str
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: there)
    assert trial.other(device=requested).fingerprint_fields()["training.device"] == device


@pytest.mark.parametrize("part", ["train", "valid"])
@pytest.mark.parametrize("array", ["sequences", "labels"])
def test_a_fingerprint_changes_with_the_data(trial: Trial, part: str, array: str) -> None:
    before = fingerprint(trial.fingerprint_fields())
    getattr(getattr(trial.data, part), array).flat[0] ^= 1
    assert fingerprint(trial.fingerprint_fields()) != before


def test_a_fingerprint_depends_on_values_alone() -> None:
    one, same = {"a": 1, "b": 0.5}, {"b": 0.5, "a": 1}
    assert fingerprint(one) == fingerprint(same)
    assert len(fingerprint(one)) == 16


def test_differences_read_as_a_sentence_in_full_but_for_digests() -> None:
    then = {"training.seed": 1, "model.cell": "lstm", "data.train.sha256": "a" * 64, "gone": 1}
    now = {"training.seed": 2, "model.cell": "lstm", "data.train.sha256": "b" * 64}
    assert differences(now, then) == (
        "training.seed is 2, was 1, data.train.sha256 is 'bbbbbbbbbbbb…, was 'aaaaaaaaaaaa…, gone is None, was 1"
    )
    new, old = (f"FloatDistribution(high={high}, log=False, low=0.0, step=None)" for high in (0.5, 0.9))
    assert differences({"--search model.dropout": new}, {"--search model.dropout": old}) == (
        f"--search model.dropout is {new!r}, was {old!r}"
    )


def never() -> Checkpoint:
    raise AssertionError("only the checkpoint that matches is read")


def continued(left: Checkpoint, resume: Any = True, fields: dict[str, Any] | None = None) -> Checkpoint | None:
    """What a training continues that finds this checkpoint and that of another one, which it must not read."""
    interrupted = {left.fingerprint: lambda: left, "0123456789abcdef": never}
    return checkpoint_to_continue(interrupted, left.fingerprint_fields | (fields or {}), resume=resume)


@pytest.mark.parametrize(("report", "lines"), [(2, 1), (-1, 0)])
def test_a_run_that_could_resume_says_how_and_starts_at_the_beginning_and_one_that_ended_offers_nothing(
    trial: Trial, caplog: pytest.LogCaptureFixture, report: int, lines: int
) -> None:
    assert continued(trial.checkpoint(report=report), resume=False) is None
    assert len(caplog.messages) == lines
    for line in caplog.messages:
        assert "a checkpoint at update 5." in line
        assert "training.resume=true" in line


@pytest.mark.parametrize("report", [None, 0, -1])
def test_auto_continues_an_interrupted_run_and_begins_where_there_is_none(trial: Trial, report: int | None) -> None:
    left = trial.checkpoint(report=report or 0)
    interrupted = {} if report is None else {left.fingerprint: lambda: left}
    expected = left if report == 0 else None  # the last report is of a training that ended
    assert checkpoint_to_continue(interrupted, left.fingerprint_fields, resume="auto") is expected


@pytest.mark.parametrize(("report", "lines"), [(0, 0), (-1, 1)])
def test_a_resumed_run_starts_at_its_own_checkpoint_and_one_that_had_ended_is_logged(
    trial: Trial, caplog: pytest.LogCaptureFixture, report: int, lines: int
) -> None:
    caplog.set_level("INFO")
    left = trial.checkpoint(report=report)
    assert continued(left) is left
    expected = ["This training had ended, at update 12: there is nothing left to train."]
    assert caplog.messages == expected * lines


def test_to_resume_without_an_interrupted_run_is_refused() -> None:
    with pytest.raises(UserError, match=r"^training\.resume needs the checkpoint of an interrupted run, found none"):
        checkpoint_to_continue({}, {"training.seed": 1}, resume=True)


def test_to_resume_another_run_is_refused_with_what_differs_from_the_newest(trial: Trial) -> None:
    with pytest.raises(UserError, match=r"interrupted run: training\.seed is 7, was 1; set them back"):
        continued(trial.checkpoint(report=0), fields={"training.seed": 7})


def test_a_damaged_checkpoint_is_refused_by_name_and_does_not_stop_a_run_that_replaces_it(trial: Trial) -> None:
    fields = trial.fingerprint_fields()
    interrupted = {fingerprint(fields): lambda: from_bytes(b"half a file", "damaged.pt")}
    with pytest.raises(UserError, match=r"^damaged\.pt must be a complete checkpoint"):
        checkpoint_to_continue(interrupted, fields, resume=True)
    assert checkpoint_to_continue(interrupted, fields, resume=False) is None


@pytest.mark.parametrize("changed", ["source", "torch", "ATen", "oneDNN"])
def test_what_another_program_began_is_continued_only_by_force_and_recorded(trial: Trial, changed: str) -> None:
    other = program() | {changed: "another"}
    left = replace(trial.checkpoint(report=0), program=other)
    left = from_bytes(to_bytes(left), "it")
    with pytest.raises(UserError, match=rf"{changed} is '.*, was 'another'; go back .* training\.resume=force"):
        continued(left)
    assert continued(left, resume="force") is left
    mixed = program_continuing(left.program)
    assert mixed == program() | {"continues": other}
    again = replace(left, program=mixed)  # interrupted once more, and continued by the same program
    assert continued(again) is again
    assert program_continuing(mixed) == mixed


def test_a_portable_training_is_continued_on_any_processor_and_with_any_number_of_threads(trial: Trial) -> None:
    fields = trial.fingerprint_fields() | {"training.precision": "portable"}
    left = replace(trial.checkpoint(report=0), fingerprint_fields=fields, program=program(portable=True))
    assert left.program.keys() == {"source", "torch"}
    assert continued(left, fields={"training.threads": 5}) is left
    assert program_continuing(left.program, portable=True) == left.program
    assert fingerprint(fields | {"training.seed": 5}) != left.fingerprint


def test_a_checkpoint_without_a_program_is_of_an_older_version_and_can_be_continued(trial: Trial) -> None:
    left = trial.checkpoint(report=0)
    assert left.program == {}
    assert continued(left) is left
    assert program_continuing(left.program) == program() | {"continues": {}}
    assert program_continuing(None) == program()


def test_the_program_is_all_modules_of_core_that_the_nodes_of_training_import_and_the_nodes() -> None:
    nodes = [PACKAGE / "pipelines" / stage / "nodes.py" for stage in ("reshape", "train")]
    text = "".join(path.read_text() for path in nodes)
    imported = {
        PACKAGE / (name.replace(".", "/") + ".py")
        for name in re.findall(
            r"^from mnist_lstm\.(core\.(?:data|kernel|model|training)\.\w+) import", text, re.MULTILINE
        )
    }
    kernel = PACKAGE / "core/kernel/kernel.c"
    assert len(imported) > 5
    assert imported | {*nodes, kernel} <= {*sources()}
