import io
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from mnist_lstm.core.data.sequences import pixel_order_for, sequence_split
from mnist_lstm.core.data.splits import Splits
from mnist_lstm.core.model.classifier import classify
from mnist_lstm.core.training.checkpoint import from_bytes, to_bytes, weights_digest
from mnist_lstm.core.training.fits import expect_data
from mnist_lstm.errors import UserError
from tests.conftest import Sequences, read_by
from tests.core.conftest import Trial, assert_equal
from tests.support.guard import Trap, saved


@pytest.mark.parametrize("report", [0, -1], ids=["before the first validation", "with a best state"])
def test_a_checkpoint_comes_back_as_it_was(trial: Trial, report: int) -> None:
    checkpoint = trial.checkpoint(report=report, keep="best")
    assert_equal(from_bytes(to_bytes(checkpoint), "it"), checkpoint)


def test_equal_checkpoints_give_equal_bytes_also_once_they_came_back_or_were_resumed(trial: Trial) -> None:
    content = to_bytes(trial.checkpoint())
    assert to_bytes(from_bytes(content, "it")) == content
    stopped = from_bytes(to_bytes(trial.checkpoint(report=2)), "it")
    assert to_bytes(trial.checkpoint(state=stopped.state)) == content


def test_a_checkpoint_rebuilds_its_classifier_alone(trial: Trial, sequences: Sequences) -> None:
    checkpoint = trial.checkpoint()
    classifier = from_bytes(to_bytes(checkpoint), "it").classifier()
    assert not classifier.training
    expected = classify(checkpoint.classifier(), sequences.test.sequences, 21)
    np.testing.assert_array_equal(classify(classifier, sequences.test.sequences, 21), expected)


def test_averaged_weights_classify_where_there_are_some(trial: Trial) -> None:
    checkpoint = from_bytes(to_bytes(trial.other(ema_decay=0.9).checkpoint()), "it")
    assert checkpoint.state.average is not None
    assert checkpoint.weights is checkpoint.state.average
    assert not torch.equal(checkpoint.weights["readout.weight"], checkpoint.state.weights["readout.weight"])


def test_the_last_weights_classify_unless_keep_is_best_and_there_was_a_validation(trial: Trial) -> None:
    early = trial.checkpoint(report=0, keep="best")
    assert early.state.best is None
    assert early.weights is early.state.weights
    checkpoint = trial.checkpoint()
    assert checkpoint.state.best is not None
    best = replace(checkpoint.state.best, weights={"a": torch.ones(1)})
    checkpoint = replace(checkpoint, state=replace(checkpoint.state, best=best))
    assert checkpoint.weights is checkpoint.state.weights
    assert replace(checkpoint, keep="best").weights is best.weights


def test_an_entry_that_says_it_is_a_folder_is_refused(trial: Trial) -> None:
    content = bytearray(to_bytes(trial.checkpoint()))
    entry = content.rindex(b"PK\x01\x02", 0, content.rindex(b"archive/data/0"))
    content[entry + 38] |= 0x10  # of its attributes, which no CRC covers
    with pytest.raises(UserError, match="damaged content in archive/data/0"):
        from_bytes(bytes(content), "it")


def changed(change: Callable[[dict[str, Any]], Any]) -> Callable[[bytes], bytes]:
    """Changes what the file holds."""

    def damage(content: bytes) -> bytes:
        loaded = torch.load(io.BytesIO(content), weights_only=True)
        change(loaded)
        return saved(loaded)

    return damage


of_another_format = changed(lambda held: held.update(format="mnist_lstm checkpoint 0"))
of_another_model = changed(lambda held: held["model"].update(cell="no such cell"))
of_a_narrower_model = changed(lambda held: held["model"].update(hidden_size=held["model"]["hidden_size"] - 1))
without_a_weight = changed(lambda held: held["state"]["weights"].pop("readout.weight"))


def other_zip(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.txt", content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        pytest.param(lambda content: b"", "not a zip", id="empty"),
        pytest.param(lambda content: b"no checkpoint at all", "not a zip", id="no zip"),
        pytest.param(lambda content: content[:-100], "", id="cut short"),
        pytest.param(lambda content: content[100:], "", id="without its start"),
        pytest.param(other_zip, "", id="another zip"),
        pytest.param(of_another_format, "found 'mnist_lstm checkpoint 0'", id="another format"),
        pytest.param(of_another_model, "", id="another model"),
        pytest.param(of_a_narrower_model, "size mismatch", id="weights of another size"),
        pytest.param(without_a_weight, "readout.weight", id="a weight less"),
        pytest.param(lambda content: saved(torch.ones(3)), "", id="a tensor"),
        pytest.param(lambda content: saved({"weights": torch.ones(3)}), "format", id="weights alone"),
    ],
)
def test_what_is_no_complete_checkpoint_is_refused_by_name(
    trial: Trial, damage: Callable[[bytes], bytes], found: str
) -> None:
    with pytest.raises(UserError, match=f"^the file must be a complete checkpoint of mnist_lstm.*{found}.*; delete it"):
        from_bytes(damage(to_bytes(trial.checkpoint(report=0))), "the file")


def test_no_code_in_a_file_is_run() -> None:
    with pytest.raises(UserError):
        from_bytes(saved({"format": Trap()}), "it")


def test_the_weights_digest_changes_with_bit_type_shape_and_name_and_not_with_the_memory_layout() -> None:
    weight = torch.arange(6.0).reshape(2, 3)
    last_bit = torch.nextafter(weight, weight + torch.tensor([[0, 0, 0], [0, 0, 1]]))
    others = [{"a": last_bit}, {"a": weight.view(torch.int32)}, {"a": weight.reshape(3, 2)}, {"b": weight}]
    assert len({weights_digest(each) for each in ({"a": weight}, *others)}) == 5
    assert weights_digest({"a": weight.T.contiguous().T}) == weights_digest({"a": weight})


def test_a_checkpoint_fits_the_data_that_it_was_trained_on_and_none_of_another_name_or_shape(
    trial: Trial, sequences: Sequences, splits: Splits
) -> None:
    checkpoint = trial.checkpoint(report=0)
    expect_data(checkpoint, sequences.card, sequences.test)
    with pytest.raises(UserError, match=r"trained on bars in .*, found mnist in"):
        expect_data(checkpoint, replace(sequences.card, name="mnist"), sequences.test)
    with pytest.raises(UserError, match=r"trained on 3 classes, found 2; run the complete pipeline"):
        expect_data(checkpoint, replace(sequences.card, class_names=["a", "b"]), sequences.test)
    columns = sequence_split(splits.test, pixel_order_for(read_by("columns"), 6, 4))
    with pytest.raises(UserError, match=r"sequences of \(6, 4\), found bars in sequences of \(4, 6\)"):
        expect_data(checkpoint, splits.card, columns)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, None),
        ({"class_names": ["a", "b"]}, "images of 6 x 4 pixels in 3 classes .*, found images of .* in 2 classes"),
        ({"height": 4, "width": 6}, "found images of 4 x 6 pixels"),
        ({"kind": "series"}, "found series of 6 steps at most of 4 features in 3 classes"),
    ],
)
def test_other_data_are_evaluated_where_their_form_is_that_of_the_training(
    trial: Trial, sequences: Sequences, changes: dict[str, Any], found: str | None
) -> None:
    others = replace(sequences.card, name="others", **changes)
    with pytest.raises(UserError, match=found) if found else nullcontext():
        expect_data(trial.checkpoint(report=0), others, sequences.test, others=True)


@pytest.mark.parametrize("others", [False, True])
def test_data_in_which_another_label_has_the_name_of_a_class_are_refused(
    trial: Trial, sequences: Sequences, others: bool
) -> None:
    checkpoint, (first, second, third) = trial.checkpoint(report=0), sequences.card.class_names
    for names in ([second, first, third], ["0", first, second]):
        with pytest.raises(UserError, match=f"class '{names[1]}' was label 0 in training, found it as label 1"):
            expect_data(checkpoint, replace(sequences.card, class_names=["0", *names[1:]]), sequences.test, others)
    expect_data(checkpoint, replace(sequences.card, class_names=["0", "x", third]), sequences.test, others)


def test_another_view_of_square_images_is_refused(trial: Trial, splits: Splits) -> None:
    checkpoint = trial.checkpoint(report=0)
    square = replace(checkpoint, data=replace(checkpoint.data, height=4))
    squares = replace(splits.test, images=splits.test.images[:, :4])
    columns = sequence_split(squares, pixel_order_for(read_by("columns"), 4, 4))
    with pytest.raises(UserError, match="view"):
        expect_data(square, splits.card, columns)
