"""Snapshots of the weights: when they are taken, and what a resumed training keeps."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mnist_lstm.core.training.snapshots import MOST, MOST_BYTES, Snapshots, SnapshotTaker, flat, half
from mnist_lstm.datasets.npz import SnapshotsDataset
from tests.support import tiny

STATE = tiny.classifier().state_dict()


def taken(total: int, start: int = 0, apart: int = 10) -> list[int]:
    """The updates of the snapshots of a training that reports every `apart` updates."""
    taker = SnapshotTaker(tiny.classifier(), total, start)
    reports = [
        SimpleNamespace(update=update, state=lambda: SimpleNamespace(classifying=STATE))
        for update in range(start + apart, total + 1, apart)
    ]
    assert list(taker.watched(reports)) == reports  # type: ignore[arg-type]
    return list(taker.weights)


def test_snapshots_are_close_at_first_and_then_farther_apart_and_a_resumed_training_takes_what_is_left() -> None:
    assert taken(799) == [0, 10, 30, 50, 90, 190, 390]
    assert taken(14_000) == [0, 10, 40, 120, 380, 1260, 4190]
    assert taken(30) == [0, 10, 20, 30]
    assert taken(799, start=100) == [190, 390]


def test_a_snapshot_is_the_weights_in_half_precision() -> None:
    taker = SnapshotTaker(tiny.classifier(), 799, 0)
    np.testing.assert_allclose(taker.weights[0], flat(STATE), rtol=1e-3, atol=1e-6)
    assert half(np.array([1e30, -1e30, 0.5], np.float32)).tolist() == [65504, -65504, 0.5]


@pytest.mark.parametrize(("units", "count"), [(5, MOST), (300, 1), (1000, 0)])
def test_large_networks_have_fewer_snapshots(units: int, count: int) -> None:
    taker = SnapshotTaker(tiny.classifier(hidden_size=units), 799, 0)
    assert len(taker._wanted) + len(taker.weights) == count
    assert sum(each.nbytes for each in taker.weights.values()) <= MOST_BYTES


def test_what_an_interrupted_training_left_stays_with_the_resumed_one(tmp_path: Path) -> None:
    def saved(fingerprint: str, *updates: int) -> list[int]:
        arrays = {update: np.full(3, update, np.float16) for update in updates}
        SnapshotsDataset(filepath=str(tmp_path / "snapshots.npz")).save(Snapshots(fingerprint, arrays))
        return list(SnapshotsDataset(filepath=str(tmp_path / "snapshots.npz")).load().weights)

    assert SnapshotsDataset(filepath=str(tmp_path / "snapshots.npz")).load().weights == {}
    assert saved("a", 0, 10) == [0, 10]
    assert saved("a", 50) == [0, 10, 50]
    assert saved("b", 90) == [90]
    assert saved("a", 0) == [0]
