from copy import deepcopy

import pytest

from mnist_lstm import provenance
from mnist_lstm.tracking.reproduce.drift import Difference, drift, refusal
from tests.support.projects import REPOSITORY


def difference(kind: str) -> Difference:
    return Difference(kind, "something", "then", "now")


@pytest.mark.parametrize("kinds", [[], ["hardware"], ["environment"]])
def test_nothing_other_hardware_or_another_environment_is_no_reason_to_refuse(kinds: list[str]) -> None:
    assert refusal([difference(kind) for kind in kinds]) == ""


@pytest.mark.parametrize(
    ("kinds", "opening", "way"),
    [
        (["code", "code", "hardware"], "not reproduced, because the code changed: ", "--checkout uses the run's own"),
        (["packages"], "not reproduced, because the packages changed: ", "requirements.lock"),
        (["packages", "code"], "not reproduced, because the code and the packages changed: ", "--checkout uses"),
    ],
)
def test_a_refusal_says_what_changed_and_what_would_do(kinds: list[str], opening: str, way: str) -> None:
    message = refusal([difference(kind) for kind in kinds])
    assert message.startswith(opening)
    assert way in message
    assert message.endswith("--allow-differences runs with the present ones.")


def test_packages_and_variables_that_decide_bits_are_recorded_and_their_changes_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("OMP_NUM_THREADS", "ONEDNN_MAX_CPU_ISA"):
        monkeypatch.delenv(name, raising=False)
    then = {
        "git": provenance.code(REPOSITORY),
        "environment": provenance.environment(REPOSITORY),
        "hardware": provenance.hardware(),
    }
    assert drift(then, REPOSITORY) == []
    other = deepcopy(then)
    other["environment"]["packages"]["torch"] = "1.0.0"
    now = then["environment"]["packages"]["torch"]
    assert drift(other, REPOSITORY) == [Difference("packages", "torch", "1.0.0", now)]
    monkeypatch.setenv("KMP_INIT_AT_FORK", "FALSE")  # scikit-learn does, which a command may not have imported
    then["environment"]["variables"]["KMP_DUPLICATE_LIB_OK"] = "True"
    assert drift(then, REPOSITORY) == []
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert drift(then, REPOSITORY) == [Difference("environment", "ONEDNN_MAX_CPU_ISA", None, "AVX2")]
    then["hardware"]["processor"] = "another"
    assert [found.what for found in drift(then, REPOSITORY)] == ["processor", "ONEDNN_MAX_CPU_ISA"]
    assert drift(then, REPOSITORY, portable=True) == []
    then["hardware"] = provenance.hardware()
    older = deepcopy(then)  # of a version that recorded neither
    del older["environment"]["variables"], older["hardware"]["onednn"]
    assert drift(older, REPOSITORY) == []
