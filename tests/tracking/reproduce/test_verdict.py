from dataclasses import replace
from types import SimpleNamespace

import pytest

from mnist_lstm.tracking.reader import Record
from mnist_lstm.tracking.reproduce import verdict
from tests.support import tiny
from tests.tracking.fake_runs import predicted


def test_that_two_programs_trained_a_run_explains_other_bits() -> None:
    then = tiny.checkpoint()
    assert verdict._why(then, then, []) == "nothing recorded explains it"
    mixed = replace(then, program={"continues": {"source": "a"}})
    assert verdict._why(mixed, then, []) == "another program began the recorded training, which the run continued"


@pytest.mark.parametrize(
    ("digests", "files", "expected"),
    [
        ({}, {"mine.npz": "c"}, ""),  # rewritten with the same images
        ({"test": "c"}, {"mine.npz": "c"}, "the data changed (test): mine.npz; bring back"),
        ({"train": "c", "test": "c"}, {"601 pictures": "c"}, "the data changed (train, test): mine.npz; bring back"),
        ({"valid": "c"}, {"mine.npz": "b"}, "this code reads the same files otherwise (valid); --checkout"),
    ],
)
def test_other_data_are_named(digests: dict[str, str], files: dict[str, str], expected: str) -> None:
    card = {"sha256": {"train": "a", "valid": "a", "test": "a"}, "files": {"mine.npz": "b"}}
    found = verdict._other_data(card, {"sha256": card["sha256"] | digests, "files": files})
    assert found.startswith(expected)
    assert bool(found) == bool(expected)


def test_other_test_images_are_no_reproduction_however_alike_the_predictions() -> None:
    run = SimpleNamespace(data=SimpleNamespace(metrics={"test/accuracy": 1.0}))
    cards = [{"data": {"sha256": {"test": digest}, "files": {}}} for digest in "ab"]
    wrong = [slice(0, 0), slice(0, 1)]
    then, now = (
        Record(run, card, tiny.checkpoint(), predicted(each), {}) for card, each in zip(cards, wrong, strict=True)
    )
    assert verdict.compared(then, now, []).sentence.startswith(
        "not reproduced, because this code reads the same files otherwise (test)"
    )
    same = replace(now, provenance=then.provenance)
    assert verdict.compared(then, same, []).sentence.endswith("nothing recorded explains it")
