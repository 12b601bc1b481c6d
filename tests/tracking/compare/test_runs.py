import shutil
from datetime import datetime
from pathlib import Path

import pytest

from mnist_lstm.errors import UserError
from mnist_lstm.tracking import reader, tags
from mnist_lstm.tracking.find_run import find_run
from tests.tracking.fake_runs import FakeRuns


def test_runs_with_one_name_get_unique_labels_and_are_found_by_the_start_of_their_ids(fakes: FakeRuns) -> None:
    one, other = (fakes.record("a", wrong=slice(0, wrong)) for wrong in (3, 9))
    fakes.record("b", wrong=slice(0, 1), tags={tags.WEIGHTS: "1"})
    fakes.record("of another script", wrong=None)  # is not the latest that trained
    runs = fakes.read(one[:8], other, "latest")
    assert [run.head for run in runs] == [f"a {one[:8]}", f"a {other[:8]}", "b"]


def test_the_last_runs_are_those_that_a_person_started_and_that_were_tested_oldest_first(fakes: FakeRuns) -> None:
    study = fakes.record("study", wrong=None)
    marks = {"again": {tags.REPRODUCES: "1" * 32}, "winner hidden_size=64": {tags.PARENT: study}}
    for name in ("a", "winner hidden_size=64", "b", "again"):
        fakes.record(name, wrong=slice(0, 1), tags=marks.get(name))
    fakes.record("c", wrong=slice(0, 1), status="KILLED")
    for status in ("FAILED", "KILLED", "RUNNING"):
        fakes.record(status, wrong=None, status=status)
    assert find_run(fakes.client, "mnist-lstm", "latest").info.run_name == "b"
    assert [run.head for run in fakes.read(last=9)] == ["a", "b"]
    fakes.record("d", wrong=slice(0, 1))
    assert [run.head for run in fakes.read(last=2)] == ["b", "d"]


def test_a_run_is_found_by_the_address_that_it_printed(fakes: FakeRuns) -> None:
    run_id = fakes.record("a", wrong=slice(0, 1))
    for address in (f"http://127.0.0.1:5000/#/experiments/1/runs/{run_id}?workflowType=x", f"https://a/runs/{run_id}"):
        assert find_run(fakes.client, "mnist-lstm", address).info.run_id == run_id


def test_where_a_model_is_wanted_its_other_names_are_told(fakes: FakeRuns) -> None:
    with pytest.raises(UserError, match=r"has none called 'b'; a model also by champion .*NAME@champion"):
        find_run(fakes.client, "mnist-lstm", "b", ("trained",))
    with pytest.raises(UserError, match=r"has none called 'b'\.$"):
        find_run(fakes.client, "mnist-lstm", "b")


def test_the_latest_is_one_that_did_what_is_to_be_done_again(fakes: FakeRuns) -> None:
    for name, wrong, marks in (
        ("both", slice(0, 1), {tags.WEIGHTS: "1"}),
        ("trained", None, {tags.WEIGHTS: "2"}),
        ("evaluated", slice(0, 2), {}),
    ):
        fakes.record(name, wrong, tags=marks)
    for did, expected in (((), "evaluated"), (("trained",), "trained"), (("trained", "evaluated"), "both")):
        assert find_run(fakes.client, "mnist-lstm", "latest", did).info.run_name == expected


def test_without_a_run_that_finished_or_that_trained_there_is_no_latest(fakes: FakeRuns) -> None:
    fakes.record("a", wrong=None, status="KILLED")
    with pytest.raises(UserError, match="a run that has finished, found none"):
        find_run(fakes.client, "mnist-lstm", "latest")
    fakes.record("evaluated", slice(0, 2))
    with pytest.raises(UserError, match="a run that has finished and trained, found none"):
        find_run(fakes.client, "mnist-lstm", "latest", ("trained",))


def test_a_name_of_several_runs_is_refused_with_their_ids_and_dates(fakes: FakeRuns) -> None:
    ids = [fakes.record("a", wrong=slice(0, 1)) for _ in range(7)]
    with pytest.raises(UserError, match="'a' names ") as raised:
        find_run(fakes.client, "mnist-lstm", "a")
    sentence = str(raised.value)
    assert [run_id[:12] in sentence for run_id in ids] == [False] * 2 + [True] * 5
    assert "and 2 older ones: give the id of one" in sentence
    assert sentence.count(f"({datetime.now():%Y-%m-%d} ") == 5


def test_a_name_means_the_one_of_its_runs_that_finished(fakes: FakeRuns) -> None:
    finished = fakes.record("a", wrong=slice(0, 1))
    for _ in range(2):
        fakes.record("a", wrong=None, status="KILLED")
        fakes.record("b", wrong=None, status="KILLED")
    assert find_run(fakes.client, "mnist-lstm", "a").info.run_id == finished
    with pytest.raises(UserError, match=r"'b' names \w{12} \([^)]*, killed\), \w{12} \("):
        find_run(fakes.client, "mnist-lstm", "b")


def test_a_run_is_found_among_more_than_one_page_of_them(fakes: FakeRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    search = fakes.client.search_runs
    monkeypatch.setattr(fakes.client, "search_runs", lambda *words, **more: search(*words, max_results=2, **more))
    first, *_ = [fakes.record(name, wrong=slice(0, 1)) for name in "abcde"]
    assert find_run(fakes.client, "mnist-lstm", "a").info.run_id == first
    assert len(reader.finished(fakes.client, "mnist-lstm", 4)) == 4


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["bars lstm rows", "bars lstn rows"], "none called 'bars lstn rows' (did you mean 'bars lstm rows'?)"),
        (["latset", "bars lstm rows"], "none called 'latset' (did you mean 'latest'?)"),
        (["latest"], "at least two runs must be compared, found 1"),
        (["--last", "2"], "at least two runs must be compared, found 1 in the experiment 'mnist-lstm'"),
        (["latest", "bars lstm rows"], "2 times in latest, bars lstm rows"),
        (["latest", "--last", "2"], "the runs must be given once, found names and --last"),
        ([], "the runs must be given once, found none"),
    ],
)
def test_a_mistake_is_reported_in_one_line(fakes: FakeRuns, arguments: list[str], sentence: str) -> None:
    fakes.record("bars lstm rows", wrong=slice(0, 1), tags={tags.WEIGHTS: "1"})
    result = fakes.invoke(*arguments)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    assert sentence in result.output


def test_damaged_predictions_are_reported_in_one_sentence(fakes: FakeRuns) -> None:
    run_id = fakes.record("a", wrong=slice(0, 1))
    (fakes.path / "predictions.npz").write_bytes(b"PK half a file")
    fakes.client.log_artifact(run_id, str(fakes.path / "predictions.npz"))
    with pytest.raises(UserError, match=f"predictions.npz of run {run_id} must be a complete npz file"):
        reader.predictions(fakes.client, run_id)


def test_predictions_whose_file_is_gone_are_named(fakes: FakeRuns, caplog: pytest.LogCaptureFixture) -> None:
    ids = [fakes.record("a", wrong=slice(0, 1), tags={tags.WEIGHTS: "1"}) for _ in range(2)]
    shutil.rmtree(Path(fakes.client.get_run(ids[0]).info.artifact_uri.removeprefix("file://")))
    assert [run.predictions is None for run in fakes.read(*ids)] == [True, False]
    (line,) = caplog.messages
    assert line.startswith(f"run {ids[0]} must hold predictions.npz, found none: the run wrote it, but ")
