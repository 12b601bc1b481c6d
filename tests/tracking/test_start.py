import getpass
from pathlib import Path
from unittest import mock

import pytest
import yaml

from mnist_lstm import provenance
from mnist_lstm.parameters import checked
from mnist_lstm.redaction import redacted
from mnist_lstm.tracking import start, store
from mnist_lstm.tracking.spool import unsent
from mnist_lstm.tracking.spool.operations import create_run
from mnist_lstm.tracking.spool.spool import Spool

BASE = yaml.safe_load((Path(__file__).parents[2] / "conf/base/parameters.yml").read_text())
DUBIOUS = "detected dubious ownership in repository at '/project'"


@pytest.mark.parametrize("error", [KeyError("uid not found: 12345"), OSError("No username set")])
def test_a_user_without_a_name_is_recorded_by_number(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", fails)
    monkeypatch.setattr("os.getuid", lambda: 12345)
    assert start._user() == "12345"


def test_where_git_refuses_the_run_says_so_in_gits_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    nothing = {"commit": None, "dirty": None, "diff": None, "reason": DUBIOUS, "source_sha256": ""}
    monkeypatch.setattr(provenance, "code", lambda _: nothing)
    monkeypatch.setattr(start, "_spool", mock.Mock())
    start.started(tmp_path, mock.MagicMock(), checked(BASE), "", {"env": None})
    assert f"The run's record lacks its commit, as git refuses: {DUBIOUS}" in caplog.text


def test_a_run_that_is_deleted_while_it_runs_waits_and_is_not_called_recorded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    uri = store.own_uri(tmp_path)
    client = store.client(tmp_path, uri)
    experiment = store.experiment_id(client, "mine", tmp_path, uri)
    about = {"experiment_id": experiment, "start_time": 1, "tags": {}, "run_name": "one", "process": {"pid": 1}}
    about |= {"store": redacted(uri), "run_id": None}
    about["run_id"] = create_run(client, about)
    spool = Spool(tmp_path, lambda: client, client, about)
    client.delete_run(spool.run_id)
    spool.put("batch", metrics=[{"key": "train/loss", "value": 1.0, "timestamp": 1, "step": 10}])
    assert not spool.complete
    assert "did not accept it" in caplog.text
    assert "waits for `kedro sync-runs`" in spool.place
    assert [*(tmp_path / unsent.FOLDER).glob("*/run.json")]
