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
