import os
from pathlib import Path

import pytest

from mnist_lstm.tracking import artifact_place
from mnist_lstm.tracking.artifact_place import warn_if_unwritable


def test_a_place_that_can_be_written_is_not_mentioned(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for uri in (str(tmp_path), tmp_path.as_uri(), (tmp_path / "new" / "run" / "artifacts").as_uri(), "mlruns/0/a"):
        warn_if_unwritable(uri)
    for uri in ("mlflow-artifacts:/0/run/artifacts", "http://localhost/artifacts", "hdfs://host/artifacts"):
        warn_if_unwritable(uri)  # only the server, or an attempt, can say
    assert not caplog.records


def test_a_place_that_cannot_be_written_is_named_before_training(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    warn_if_unwritable((tmp_path / "file" / "run").as_uri())
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    warn_if_unwritable(str(tmp_path / "absent" / "run"))
    first, second = (record.message for record in caplog.records)
    assert f"this process cannot write to {tmp_path / 'file'}. Training goes on" in first
    assert f"this process cannot write to {tmp_path}." in second


def test_a_place_that_may_not_be_seen_stops_no_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hidden(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))  # as of a folder in another user's home

    monkeypatch.setattr(Path, "exists", hidden)
    monkeypatch.setattr(Path, "is_dir", hidden)
    warn_if_unwritable((tmp_path / "absent").as_uri())
    assert not caplog.records


def test_an_object_store_needs_its_package(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(artifact_place.CLIENTS, "s3", "absent_boto3")
    monkeypatch.setitem(artifact_place.CLIENTS, "gs", "absent.cloud.storage")
    warn_if_unwritable("s3://key:secret@bucket/run")
    warn_if_unwritable("gs://bucket/run")
    assert "needs the package absent_boto3, found none" in caplog.messages[0]
    assert "secret" not in caplog.messages[0]
    assert "needs the package absent.cloud.storage, found none" in caplog.messages[1]
    monkeypatch.setitem(artifact_place.CLIENTS, "s3", "json")
    warn_if_unwritable("s3://bucket/run")
    assert len(caplog.messages) == 2
