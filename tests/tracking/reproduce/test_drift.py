import pytest

from mnist_lstm.tracking.reproduce.drift import Difference, refusal


def difference(kind: str) -> Difference:
    return Difference(kind, "something", "then", "now")


@pytest.mark.parametrize("kinds", [[], ["hardware"]])
def test_nothing_or_other_hardware_is_no_reason_to_refuse(kinds: list[str]) -> None:
    assert refusal([difference(kind) for kind in kinds]) == ""


@pytest.mark.parametrize(
    ("kinds", "opening", "way"),
    [
        (["code", "code", "hardware"], "not done again, as the code changed: ", "--checkout takes the run's own;"),
        (["packages"], "not done again, as the packages changed: ", "requirements.lock"),
        (["packages", "code"], "not done again, as the code and the packages changed: ", "--checkout takes"),
    ],
)
def test_a_refusal_says_what_changed_and_what_would_do(kinds: list[str], opening: str, way: str) -> None:
    told = refusal([difference(kind) for kind in kinds])
    assert told.startswith(opening)
    assert way in told
    assert told.endswith("--allow-differences goes on with today's.")
