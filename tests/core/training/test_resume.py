"""Continuing an interrupted run: with the same bits, and only with the same parameters and data."""

import re
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from mnist_lstm.core.training.checkpoint import Checkpoint, from_bytes, to_bytes
from mnist_lstm.core.training.fingerprint import differences, fingerprint
from mnist_lstm.core.training.learner import Best, TrainingState
from mnist_lstm.core.training.program import PACKAGE, program, program_continuing, sources
from mnist_lstm.core.training.resume import checkpoint_to_continue
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import Parameters
from mnist_lstm.sections import flat_fields
from tests.conftest import Sequences
from tests.core.conftest import WAYS, Trial, assert_same_bits


def assert_other_weights(one: TrainingState, other: TrainingState) -> None:
    assert not torch.equal(one.weights["readout.weight"], other.weights["readout.weight"])


@pytest.mark.parametrize("way", [{}, *WAYS.values()], ids=["plain", *WAYS])
def test_a_resumed_run_ends_with_the_same_bits(trial: Trial, way: dict[str, Any]) -> None:
    *interrupted, last = trial.states(**way)
    for stopped in (interrupted[0], interrupted[3]) if way else interrupted:
        assert_same_bits(trial.states(stopped, **way)[-1], last)


def test_a_run_with_zoneout_and_refined_gates_resumes_to_the_same_bits(trial: Trial) -> None:
    changes = {"gates": "refined", "forget_bias": 0.0, "zoneout": 0.2, "num_layers": 2, "dropout": 0.1}
    model = trial.parameters.model.model_copy(update=changes)
    trial = Trial(trial.parameters.model_copy(update={"model": model}), trial.data)
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


def test_a_run_resumed_with_another_random_state_drops_out_other_units(trial: Trial) -> None:
    *_, stopped, last = trial.states()
    elsewhere = replace(stopped, random_state=torch.Generator().manual_seed(99).get_state())
    assert_other_weights(trial.states(elsewhere)[-1], last)


def test_a_run_resumed_at_another_update_reads_other_batches(trial: Trial) -> None:
    *_, stopped, last = trial.states()
    assert (stopped.iteration, last.iteration) == (10, 12)
    assert_other_weights(trial.states(replace(stopped, iteration=9), iterations=11)[-1], last)


def test_a_run_resumed_without_the_optimisers_moments_leaves_the_path(trial: Trial) -> None:
    *_, stopped, last = trial.states()
    fresh = {**stopped.optimizer, "state": {}}
    assert_other_weights(trial.states(replace(stopped, optimizer=fresh))[-1], last)


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


def test_a_fingerprint_knows_the_device_that_trains_whoever_chose_it(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {}
    for requested, there in [("auto", False), ("cpu", False), ("auto", True), ("cpu", True), ("cuda", True)]:
        monkeypatch.setattr("torch.cuda.is_available", lambda there=there: there)
        training = trial.parameters.training.model_copy(update={"device": requested})
        trial.parameters = trial.parameters.model_copy(update={"training": training})
        found[requested, there] = trial.fingerprint_fields()["training.device"]
    on_cuda = [("auto", True), ("cuda", True)]
    assert found == {each: "cuda" if each in on_cuda else "cpu" for each in found}


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


def test_differences_read_as_a_sentence() -> None:
    then = {"training.seed": 1, "model.cell": "lstm", "data.train.sha256": "a" * 64, "gone": 1}
    now = {"training.seed": 2, "model.cell": "lstm", "data.train.sha256": "b" * 64}
    assert differences(now, then) == (
        "training.seed is 2, was 1, data.train.sha256 is 'bbbbbbbbbbbb…, was 'aaaaaaaaaaaa…, gone is None, was 1"
    )


def test_what_differs_stands_in_full_unless_it_is_a_digest() -> None:
    now, then = (f"FloatDistribution(high={high}, log=False, low=0.0, step=None)" for high in (0.5, 0.9))
    assert differences({"--search model.dropout": now}, {"--search model.dropout": then}) == (
        f"--search model.dropout is {now!r}, was {then!r}"
    )


def never() -> Checkpoint:
    raise AssertionError("only the checkpoint that matches is read")


def damaged() -> Checkpoint:
    return from_bytes(b"half a file", "damaged.pt")


def test_a_run_that_is_not_to_resume_starts_at_the_beginning(trial: Trial) -> None:
    assert checkpoint_to_continue({"0123456789abcdef": never}, trial.fingerprint_fields(), resume=False) is None


def test_a_run_that_could_resume_says_how_and_starts_at_the_beginning(
    trial: Trial, caplog: pytest.LogCaptureFixture
) -> None:
    stopped = trial.checkpoint(report=2)
    assert (
        checkpoint_to_continue({stopped.fingerprint: lambda: stopped}, stopped.fingerprint_fields, resume=False) is None
    )
    (line,) = caplog.messages
    assert "a checkpoint at update 5." in line
    assert "training.resume=true" in line


def test_a_run_that_ended_offers_nothing_to_continue(trial: Trial, caplog: pytest.LogCaptureFixture) -> None:
    ended = trial.checkpoint()
    assert checkpoint_to_continue({ended.fingerprint: lambda: ended}, ended.fingerprint_fields, resume=False) is None
    assert not caplog.messages


def test_a_damaged_checkpoint_does_not_stop_a_run_that_replaces_it(trial: Trial) -> None:
    fields = trial.fingerprint_fields()
    assert checkpoint_to_continue({fingerprint(fields): damaged}, fields, resume=False) is None


def test_a_resumed_run_starts_at_the_state_of_its_own_checkpoint(trial: Trial) -> None:
    stopped = trial.checkpoint(report=0)
    interrupted = {"0123456789abcdef": never, stopped.fingerprint: lambda: stopped}
    assert checkpoint_to_continue(interrupted, stopped.fingerprint_fields, resume=True) is stopped


@pytest.mark.parametrize("report", [None, 0, -1])
def test_auto_continues_an_interrupted_run_and_begins_where_there_is_none(trial: Trial, report: int | None) -> None:
    left = trial.checkpoint(report=report or 0)
    interrupted = {} if report is None else {left.fingerprint: lambda: left}
    expected = left if report == 0 else None  # the last report is of a training that ended
    assert checkpoint_to_continue(interrupted, left.fingerprint_fields, resume="auto") is expected


@pytest.mark.parametrize(("report", "lines"), [(0, 0), (-1, 1)])
def test_to_resume_a_training_that_had_ended_is_logged(
    trial: Trial, caplog: pytest.LogCaptureFixture, report: int, lines: int
) -> None:
    caplog.set_level("INFO")
    left = trial.checkpoint(report=report)
    checkpoint_to_continue({left.fingerprint: lambda: left}, left.fingerprint_fields, resume=True)
    expected = ["This training had ended, at update 12: there is nothing left to train."]
    assert caplog.messages == expected * lines


def test_to_resume_without_an_interrupted_run_is_refused() -> None:
    with pytest.raises(UserError, match=r"^training\.resume needs the checkpoint of an interrupted run, found none"):
        checkpoint_to_continue({}, {"training.seed": 1}, resume=True)


def test_to_resume_another_run_is_refused_with_what_differs_from_the_newest(trial: Trial) -> None:
    newest = trial.checkpoint(report=0)
    interrupted = {newest.fingerprint: lambda: newest, "0123456789abcdef": never}
    with pytest.raises(UserError, match=r"interrupted run: training\.seed is 7, was 1; set them back"):
        checkpoint_to_continue(interrupted, newest.fingerprint_fields | {"training.seed": 7}, resume=True)


def test_to_resume_a_damaged_checkpoint_is_refused_by_name(trial: Trial) -> None:
    fields = trial.fingerprint_fields()
    with pytest.raises(UserError, match=r"^damaged\.pt must be a complete checkpoint"):
        checkpoint_to_continue({fingerprint(fields): damaged}, fields, resume=True)


@pytest.mark.parametrize("changed", ["source", "torch", "ATen", "oneDNN"])
def test_what_another_program_began_is_continued_only_by_force_and_recorded(trial: Trial, changed: str) -> None:
    other = program() | {changed: "another"}
    left = replace(trial.checkpoint(report=0), program=other)
    left = from_bytes(to_bytes(left), "it")
    interrupted = {left.fingerprint: lambda: left}
    with pytest.raises(UserError, match=rf"{changed} is '.*, was 'another'; go back .* training\.resume=force"):
        checkpoint_to_continue(interrupted, left.fingerprint_fields, resume=True)
    assert checkpoint_to_continue(interrupted, left.fingerprint_fields, resume="force") is left
    mixed = program_continuing(left.program)
    assert mixed == program() | {"continues": other}
    again = replace(left, program=mixed)  # interrupted once more, and continued by the same program
    assert checkpoint_to_continue({left.fingerprint: lambda: again}, left.fingerprint_fields, resume=True) is again
    assert program_continuing(mixed) == mixed


def test_a_portable_training_is_continued_on_any_processor_and_with_any_number_of_threads(trial: Trial) -> None:
    fields = trial.fingerprint_fields() | {"training.precision": "portable"}
    left = replace(trial.checkpoint(report=0), fingerprint_fields=fields, program=program(portable=True))
    assert left.program.keys() == {"source", "torch"}
    interrupted = {left.fingerprint: lambda: left}
    assert checkpoint_to_continue(interrupted, fields | {"training.threads": 5}, resume=True) is left
    assert program_continuing(left.program, portable=True) == left.program
    assert fingerprint(fields | {"training.seed": 5}) != left.fingerprint


def test_a_checkpoint_without_a_program_is_of_an_older_version_and_can_be_continued(trial: Trial) -> None:
    left = trial.checkpoint(report=0)
    assert left.program == {}
    assert checkpoint_to_continue({left.fingerprint: lambda: left}, left.fingerprint_fields, resume=True) is left
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
