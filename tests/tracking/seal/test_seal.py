"""A run that is sealed in one project, and verified and imported in another that knows nothing of it."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kedro.framework.project import configure_project

from mnist_lstm.core.training import checkpoint
from mnist_lstm.errors import UserError
from mnist_lstm.tracking import load_model, reader, store, tags
from mnist_lstm.tracking.compare import runs
from mnist_lstm.tracking.compare.groups import grouped
from mnist_lstm.tracking.compare.verdicts import verdicts
from mnist_lstm.tracking.of_run import of_run
from mnist_lstm.tracking.reproduce.verdict import compared
from mnist_lstm.tracking.reuse import recorded
from mnist_lstm.tracking.seal import archive, contents, verify
from mnist_lstm.tracking.seal.contents import CHECKPOINT, PREDICTIONS, PROVENANCE, Seal
from tests.support.projects import Project, copied, mistake
from tests.tracking.fake_runs import without_tracking_uri

METRICS = "tables/metrics.json"


def npz(**arrays: Any) -> bytes:
    np.savez(buffer := io.BytesIO(), **arrays)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def content(finished: Project) -> bytes:
    configure_project("mnist_lstm")
    with without_tracking_uri():
        return contents.sealed(finished.path, "latest")[0]


@pytest.fixture
def seal(content: bytes) -> Seal:
    return contents.parsed(*archive.from_bytes(content, "it"), "it", "")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Project:
    """A project without a store."""
    return copied(tmp_path / "elsewhere")


def test_a_seal_goes_from_one_project_to_another(
    finished: Project, elsewhere: Project, content: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "run.zip"
    done = finished.call("seal", "champion", "-o", str(file))
    assert done.output.splitlines()[-1] == f"SHA-256 {archive.sha256(content)}"
    assert file.read_bytes() == content, "the same run gives the same bytes"
    done = elsewhere.call("verify", str(file))
    assert done.exit_code == 0, done.output
    assert "predictions: made anew from the weights on 360 test images of bundled" in done.output
    assert "equal to the bit" in done.output
    assert not (elsewhere.path / store.DATABASE).exists()
    done = elsewhere.call("import", str(file))
    assert done.exit_code == 0, done.output
    run = elsewhere.last_run()
    assert run.data.tags["sealed.run"] == finished.last_run().info.run_id
    assert run.data.metrics == finished.last_run().data.metrics
    assert elsewhere.call("import", str(file)).output.splitlines()[-1] == f"Imported before as run {run.info.run_id}"
    then, now = (reader.read(each.client(), each.last_run()) for each in (finished, elsewhere))
    assert compared(then, now, []).sentence == "reproduced to the bit: weights, predictions, 5 metrics and curves"
    for words in (("explain", "latest"), ("export", "latest", "--format", "safetensors")):
        assert elsewhere.call(*words).exit_code == 0, words
    with without_tracking_uri():
        taken = load_model.model_and_run(elsewhere.path, run.info.run_id)[0]  # for predict.model
        given, inputs = of_run(elsewhere.path, run.info.run_id, {"evaluation": {"confidence": 0.5}})
        assert recorded(elsewhere.path, taken.fingerprint_fields) is None, "nobody here saw it train"
        differing = verdicts(grouped(runs.compared(elsewhere.client(), [run, run])))
    assert checkpoint.weights_digest(taken.weights) == run.data.tags[tags.WEIGHTS]
    assert (given["data"]["name"], inputs["checkpoint"].weights_of) == ("digits", run.info.run_id)
    assert "are right on the same images" in differing[0]
    done = elsewhere.call("seal", "latest")
    assert done.output.splitlines()[-1] == f"SHA-256 {archive.sha256(content)}", "sealed again, the bytes are the same"


@pytest.mark.slow
def test_a_sealed_run_is_trained_again_and_compared(elsewhere: Project, short: Project, tmp_path: Path) -> None:
    assert short.call("seal", "latest", "-o", str(tmp_path / "run.zip")).exit_code == 0
    done = elsewhere.call("verify", str(tmp_path / "run.zip"), "--train")
    assert done.output.splitlines()[-1].startswith("reproduced to the bit: weights, predictions, ")
    assert done.exit_code == 0
    assert not (elsewhere.path / store.DATABASE).exists()


def test_a_byte_changed_in_the_weights_is_refused_in_one_line(
    elsewhere: Project, content: bytes, tmp_path: Path
) -> None:
    changed, file = bytearray(content), tmp_path / "run.zip"
    changed[content.index(archive.from_bytes(content, "it")[0][CHECKPOINT]) + 5_000] ^= 1
    assert "found none at" in mistake(elsewhere.call("verify", str(file)))
    file.write_bytes(changed)
    said = mistake(elsewhere.call("verify", str(file)))
    assert said == "run.zip must be a seal that nobody changed, but checkpoint.pt in it is damaged; get the file again."


def test_a_seal_names_neither_places_nor_this_machine(finished: Project, content: bytes) -> None:
    import platform

    assert str(finished.path).encode() not in content
    assert str(Path.home()).encode() + b"/" not in content
    files, _ = archive.from_bytes(content, "it")
    assert "process" not in json.loads(files[PROVENANCE])
    assert f'"{platform.node()}"'.encode() not in files[PROVENANCE]
    assert {CHECKPOINT, PREDICTIONS, METRICS, "report/report.html", "tables/confusion_matrix.csv"} < files.keys()


def test_paths_and_passwords_go_from_every_text_and_from_the_diff() -> None:
    about = {
        "command": "kedro run --params data.path=/my/own digits/a.npz,data.mirror=https://u:pw@h.org/x",
        "parameters": {"data": {"path": "/my/own digits/a.npz", "mirror": "https://u:pw@h.org/x"}},
        "environment": {"variables": {"TORCH_HOME": "/srv/cache/torch"}},
        "git": {"diff": "+mirror: /my/own digits/a.npz\n", "redacted": False},
        "process": {"host": "here"},
        "data": {"class_names": ["T-shirt/top", "n/a"], "title": "1/2 of it"},
    }
    files = {"report/report.html": b"<p>/srv/cache/torch<br/>/my/own digits/a.npz</p>", PROVENANCE: b""}
    clean = contents.without_places(files, about, Path("/project/x"))
    assert clean["report/report.html"] == "<p>…<br/>…</p>".encode()
    found = json.loads(clean[PROVENANCE])
    assert found["command"] == "kedro run --params data.path=…,data.mirror=https://***@h.org/x"
    assert found["parameters"]["data"] == {"path": "a.npz", "mirror": None}
    assert found["git"] == {"diff": "+mirror: …\n", "redacted": True}
    assert found["data"] == about["data"]
    assert "process" not in found


def test_predictions_of_other_weights_are_found_where_the_data_are(finished: Project, seal: Seal) -> None:
    swapped = seal.predictions.logits.copy()
    swapped[[3, 4]] = swapped[[4, 3]]
    forged = with_predictions(seal, swapped)
    assert [verdict.equal for verdict in verify.scored(finished.path, seal, None)] == [True, True]
    first, _ = verify.scored(finished.path, forged, None)
    assert not first.equal
    assert "DIFFERENT from the sealed ones" in first.sentence


def test_without_the_data_metrics_are_computed_from_the_sealed_predictions(
    finished: Project, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(seal.provenance["data"], "sha256", seal.card.sha256 | {"test": "0" * 64})
    first, second = verify.scored(finished.path, seal, None)
    assert first.equal
    assert "not made anew, as the data are not here: the test images must have the SHA-256 000" in first.sentence
    assert (
        "metrics: computed anew from the sealed predictions and labels, all 11 equal: accuracy 0.9" in second.sentence
    )
    wrong = np.roll(seal.predictions.logits, 1, axis=1)
    assert not verify.scored(finished.path, with_predictions(seal, wrong), None)[1].equal


def test_weights_that_cannot_read_the_images_are_no_missing_data(
    finished: Project, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise UserError("an image must have 128 pixels for this view")

    monkeypatch.setattr(verify, "_predictions", fails)
    with pytest.raises(UserError, match="128 pixels"):
        verify.scored(finished.path, seal, None)


@pytest.mark.parametrize("nothing", [np.nan, np.inf])
def test_predictions_that_are_no_numbers_are_no_predictions(finished: Project, seal: Seal, nothing: float) -> None:
    forged = with_predictions(seal, np.full_like(seal.predictions.logits, nothing))
    with np.errstate(invalid="ignore"):
        assert not any(verdict.equal for verdict in verify.scored(finished.path, forged, None))


def test_a_file_of_ones_own_is_read_where_data_says_and_the_bundled_digits_nowhere(
    seal: Seal, finished: Project
) -> None:
    with pytest.raises(UserError, match=r"^--data must be left out for bundled 8x8 digits .* found 'mine\.npz'"):
        verify.scored(finished.path, seal, "mine.npz")
    seal.provenance["parameters"]["data"]["path"] = "own.npz"
    first, _ = verify.scored(finished.path, seal, None)
    assert "--data PATH says where they are" in first.sentence
    with pytest.raises(UserError, match="found none at"):
        verify.scored(finished.path, seal, "no/such/file.npz")


def with_predictions(seal: Seal, logits: Any) -> Seal:
    """A seal whose manifest names these predictions, as somebody who wants to cheat would write it."""
    made = npz(logits=logits, labels=seal.predictions.labels)
    return contents.parsed(seal.files | {PREDICTIONS: made}, seal.run, "it", "")


def test_files_that_do_not_fit_each_other_are_refused(seal: Seal) -> None:
    trained, predicted = seal.checkpoint, seal.predictions
    other = replace(trained.state, weights={name: value + 1 for name, value in trained.state.weights.items()})
    said = refused(seal, CHECKPOINT, checkpoint.to_bytes(replace(trained, state=other)))
    assert said.startswith("holds other weights than")
    few = npz(logits=predicted.logits[:9], labels=predicted.labels[:9])
    assert refused(seal, PREDICTIONS, few).startswith("has other images or classes")


def huge() -> bytes:
    """A few bytes that claim to be 10 ** 14 numbers."""
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (%d, 10), }" % 10**13
    with zipfile.ZipFile(buffer := io.BytesIO(), "w") as archive:
        archive.writestr("logits.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        (PROVENANCE, b"[" * 100_000),
        (PROVENANCE, b'{"parameters": 1}'),
        (METRICS, b"{"),
        (CHECKPOINT, b"\x80\x04."),
        (PREDICTIONS, b""),
        (PREDICTIONS, npz(logits=np.array([{}], object), labels=np.zeros(360, np.uint8))),  # a pickle
        (PREDICTIONS, huge()),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(seal: Seal, name: str, wrong: bytes) -> None:
    assert refused(seal, name, wrong)


def refused(seal: Seal, name: str, content: bytes) -> str:
    """What is said about a file in the place of another."""
    with pytest.raises(UserError, match=f"it must be a seal that nobody changed, but {name} in it ") as error:
        contents.parsed(seal.files | {name: content}, seal.run, "it", "")
    return str(error.value).partition(" in it ")[2]
