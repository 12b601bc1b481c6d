"""What datasets refuse: files with one wrong bit, and others."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kedro.io import DatasetError

from mnist_lstm.datasets.npz import NpzDataset
from mnist_lstm.errors import cause_for_user


def expect_refused_or_the_same(path: Path, expect_same: Callable[[dict[str, Any]], None]) -> None:
    """Turns a bit in each byte of an npz file in turn: it is refused, or loads as it was, as some bits decide nothing.

    Args:
        path: of the file.
        expect_same: is given what was loaded.
    """
    whole = path.read_bytes()
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        try:
            loaded = NpzDataset(filepath=str(path)).load()
        except DatasetError as error:
            assert cause_for_user(error), f"byte {position}: {error}"  # noqa: PT017  some bits decide nothing
        else:
            expect_same(loaded)


def refusal(call: Callable[[], object]) -> str:
    """The one line with which a dataset refuses to load or to save."""
    with pytest.raises(DatasetError) as raised:
        call()
    message = str(cause_for_user(raised.value))
    assert "\n" not in message
    return message
