"""Which runs are one group: those that differ in the seed alone."""

from typing import Any

import pytest

from mnist_lstm.tracking import tags
from mnist_lstm.tracking.compare.groups import spans
from tests.tracking.fake_runs import PlainRuns


def about(torch: str = "2.13", source: str = "0" * 64, processor: str = "EPYC") -> dict[str, Any]:
    return {
        "environment": {"packages": {"torch": torch, "mnist_lstm": "0.2.0"}},
        "git": {"source_sha256": source},
        "hardware": {"processor": processor, "capability": "AVX2"},
    }


@pytest.mark.parametrize(
    ("other", "together"),
    [
        ({}, True),
        ({"tags": {tags.COMMIT: "b" * 40}}, True),
        ({"provenance": about(processor="Xeon")}, True),
        ({"provenance": about(source="1" * 64)}, False),
        ({"provenance": about(torch="2.12")}, False),
        ({"digest": "other"}, False),
        ({"params": {"training.seed": 2, "model.dropout": 0.5}}, False),
        ({"tags": {tags.PRECISION: "bfloat16"}}, False),
        ({"status": "KILLED"}, False),
    ],
)
def test_runs_that_differ_in_the_seed_alone_are_one_group(runs: PlainRuns, other: Any, together: bool) -> None:
    usual: dict[str, Any] = {"provenance": about(), "tags": {tags.COMMIT: "a" * 40}}
    runs.record("lstm s1 bars", wrong=slice(0, 3), **usual)
    runs.record("lstm s2 bars", wrong=slice(0, 3), **usual | {"params": {"training.seed": 2}} | other)
    heads = [group.head for group in runs.groups("lstm s2 bars", "lstm s1 bars")]
    assert heads == (["lstm seeds 1, 2 bars"] if together else ["lstm s2 bars", "lstm s1 bars"])


def test_a_seed_that_ran_twice_counts_once(runs: PlainRuns) -> None:
    ids = [runs.record(f"lstm s{seed}", wrong=slice(0, 3), params={"training.seed": seed}) for seed in (10, 9, 10)]
    many, again = runs.groups(*ids)
    assert (many.head, many.seeds, again.head) == ("lstm seeds 9, 10", ["9", "10"], "lstm s10")


def test_names_that_somebody_gave_are_followed_by_the_seeds(runs: PlainRuns) -> None:
    for name, seed in (("first try", 1), ("again", 2)):
        runs.record(name, wrong=slice(0, 3), params={"training.seed": seed})
    (group,) = runs.groups("first try", "again")
    assert group.head == "first try, seeds 1, 2"


def test_seeds_in_a_row_are_a_span() -> None:
    assert spans([1, 2, 3, 5, 7, 8]) == "1 to 3, 5, 7, 8"
