import pytest

from tests.support import mutants

# `python -m tests.support.mutants` takes other numbers
SHARES = {"idx": 1_000, "checkpoint": 150, "exported": 100, "picture": 100}
SLOWEST = 0.05  # seconds of the processor for one IDX file
MOST = 200 * 2**20  # bytes


@pytest.mark.filterwarnings("ignore")  # torch's and Pillow's, of what the mutants hold
@pytest.mark.parametrize("kind", SHARES)
def test_of_a_damaged_file_nothing_but_the_readers_own_error_escapes(kind: str) -> None:
    found = mutants.of(kind, SHARES[kind])
    assert found.refused > found.mutants / 2
    assert found.bytes < MOST
    if kind == "idx":
        assert found.seconds < SLOWEST
