"""`kedro run --pipelines predict`: typical folders of pictures, and a model of the bundled digits."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mnist_lstm.core.data.bundled_digits import bundled_digits
from mnist_lstm.core.inference.predict import printable
from tests.support import idx
from tests.support.picture_files import file_of
from tests.support.projects import LONGEST, REPOSITORY, Project, surroundings

ANSWERS, SHEET = "data/07_model_output/predictions.csv", "data/08_reporting/predictions.png"
FORMATS = ["png", "jpg", "tif", "bmp", "gif", "webp"]
TEST = bundled_digits().test


@pytest.fixture
def project(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose champion reads the bundled digits."""
    return finished.copied_to(tmp_path_factory.mktemp("project"))


def predict(project: Project, folder: Path, *more: str) -> pd.DataFrame:
    done = project.invoke("--pipelines", "predict", "--params", ",".join([f"predict.folder={folder}", *more]))
    assert done.exit_code == 0, done.output
    return pd.read_csv(project.path / ANSWERS, dtype=str, keep_default_na=False)


def drawn(position: int, inverted: bool) -> Image.Image:
    """A test digit enlarged, off the centre of a big canvas."""
    large = Image.fromarray(TEST.images[position]).resize((160, 160), Image.Resampling.BICUBIC)
    canvas = Image.new("L", (300 + position, 240))
    canvas.paste(large, (position, 60))
    return Image.fromarray(255 - np.asarray(canvas)) if inverted else canvas


def test_a_table_without_labels_is_answered_and_submitted(project: Project, tmp_path: Path) -> None:
    """The model's test images in a table as Kaggle has them."""
    pixels = pd.DataFrame(TEST.images[:50].reshape(50, 64), columns=[f"pixel{at}" for at in range(64)])
    pixels.to_csv(tmp_path / "test.csv", index=False)
    answers = predict(project, tmp_path / "test.csv")
    assert answers["file"].tolist() == [f"test.csv[{at}]" for at in range(50)]
    assert (answers["digit"].astype(int) == TEST.labels[:50]).mean() > 0.8
    submitted = pd.read_csv(project.path / "data/07_model_output/submission.csv", dtype=str)
    assert submitted.columns.tolist() == ["ImageId", "Label"]
    assert submitted["ImageId"].tolist() == [str(at) for at in range(1, 51)]
    assert submitted["Label"].tolist() == answers["digit"].tolist()
    assert len(project.runs()) == 1, "predicting is not tracked"


def test_digits_enlarged_inverted_and_off_centre_in_six_formats_are_read(project: Project, tmp_path: Path) -> None:
    for position in range(60):
        kind = FORMATS[position % 6]
        name = f"{position:02d}_{TEST.labels[position]}.{kind}"
        drawn(position, position % 2 == 0).save(tmp_path / name)
    answers = predict(project, tmp_path)
    right = answers["digit"] == answers["file"].str[3]
    assert right.mean() >= 0.7  # 8 x 8 pixels leave little room for a new scaling


def odd_files(folder: Path) -> dict[str, str]:
    """Files to read or to skip, and for each the reason why it is skipped, empty where it is not."""
    picture = drawn(0, True)
    good = file_of(picture)
    contents: dict[str, tuple[bytes, str]] = {
        "a picture.png": (good, ""),
        "a,b\"c'd.png": (good, ""),
        "no suffix": (good, ""),
        "seven \u4e03.png": (good, ""),
        "lies.jpg": (good, ""),
        "empty.png": (b"", "no picture that can be read"),
        "text.txt": (b"seven", "no picture that can be read"),
        "page.pdf": (b"%PDF-1.7", "a PDF: save its page as PNG"),
        "photo.heic": (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC or AVIF photo: save it as JPEG"),
        "renamed.png": (idx.encode(TEST.labels), "the IDX file must hold images"),
        "cut.png": (good[:200], "damaged"),
        "labels-idx1-ubyte.gz": (idx.encode(TEST.labels), "the IDX file must hold images"),
        "\udcff\r.png": (good, ""),
        "=1+1.png": (good, ""),
        "cut-images-idx3-ubyte": (b"\x00\x00\x08\x03", "the IDX file ends"),
    }
    for name, (content, _) in contents.items():
        (folder / name).write_bytes(content)
    Image.new("L", (50, 50), 255).save(folder / "white.png")
    Image.new("RGBA", (50, 50)).save(folder / "nothing.png")
    picture.save(folder / "moving.gif", save_all=True, append_images=[drawn(1, True)])
    (folder / "below").mkdir()
    picture.save(folder / "below/16 bits.tif")
    (folder / "link.png").symlink_to(folder / "no such file")
    (folder / "linked").symlink_to(folder / "below")
    os.mkfifo(folder / "pipe-idx3-ubyte")
    (folder / ".hidden").write_bytes(b"")
    return {name: reason for name, (_, reason) in contents.items()} | {
        "white.png": "blank",
        "nothing.png": "blank",
        "moving.gif": "2 pictures in one file",
        "below/16 bits.tif": "",
        "link.png": "a link to nothing",
        "linked": "a link to a folder",
        "pipe-idx3-ubyte": "neither a file nor a folder",
    }


def test_a_row_stands_for_each_file_in_order_and_odd_ones_are_skipped_with_the_reason(
    project: Project, tmp_path: Path
) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    expected = {printable(name): reason for name, reason in sorted(odd_files(folder).items())}
    answers = predict(project, folder)
    assert answers["file"].tolist() == list(expected)
    for name, reason in zip(answers["file"], answers["skipped"], strict=True):
        assert reason.startswith(expected[name]), name
        assert bool(reason) is bool(expected[name]), name
    skipped = answers[answers["skipped"] != ""]
    assert (skipped.drop(columns=["file", "skipped", "model"]) == "").all(axis=None)
    assert answers["model"].str.startswith("lstm128 rows s1 on bundled 8x8 digits (not MNIST) (").all()
    with Image.open(project.path / SHEET) as sheet:
        assert sheet.width > 900


def test_an_idx_file_of_the_models_size_is_taken_as_it_is(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "no name of an IDX file"
    path.write_bytes(idx.encode(TEST.images))
    answers = predict(project, path)
    with np.load(project.path / "data/07_model_output/predictions.npz", allow_pickle=False) as recorded:
        logits = recorded["logits"]
    assert answers["file"].tolist() == [f"{path.name}[{position}]" for position in range(len(logits))]
    assert answers["digit"].astype(int).tolist() == logits.argmax(axis=1).tolist()
    assert answers["second_guess"].astype(int).tolist() == np.argsort(logits, axis=1)[:, -2].tolist()
    probabilities = answers[[f"p_{digit}" for digit in range(10)]].astype(float).to_numpy()
    np.testing.assert_allclose(probabilities, np.exp(logits) / np.exp(logits).sum(1, keepdims=True), atol=1e-6)
    np.testing.assert_allclose(answers["probability"].astype(float), probabilities.max(axis=1))


@pytest.mark.slow
def test_the_terminal_shows_the_file_and_the_number_of_predictions(project: Project, tmp_path: Path) -> None:
    drawn(0, True).save(tmp_path / "0.png")
    (tmp_path / "text.txt").write_text("seven")
    done = project.run("--pipelines", "predict", "--params", f"predict.folder={tmp_path}")
    assert "2 pictures: 1 answered, 0 of these in doubt; 1 skipped" in " ".join(done.stdout.split())
    assert done.stdout.splitlines()[-1].startswith(f"Answers    {ANSWERS}")


@pytest.mark.parametrize("named", ["lstm128 rows s1 digits", "checkpoint"])
def test_the_model_may_be_a_run_or_a_checkpoint(project: Project, tmp_path: Path, named: str) -> None:
    drawn(0, True).save(tmp_path / "0.png")
    chosen = str(project.checkpoints()[0]) if named == "checkpoint" else named
    answers = predict(project, tmp_path, f"predict.model={chosen}")
    assert answers["digit"].tolist() == [str(TEST.labels[0])]


def test_what_stood_there_before_is_untouched_when_predicting_fails(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn(0, True).save(tmp_path / "0.png")
    before = predict(project, tmp_path)
    monkeypatch.setattr("mnist_lstm.core.training.checkpoint.classify", lambda *_: 1 / 0)
    project.invoke("--pipelines", "predict", "--params", f"predict.folder={tmp_path}")
    pd.testing.assert_frame_equal(pd.read_csv(project.path / ANSWERS, dtype=str, keep_default_na=False), before)
    assert [path.name for path in (project.path / ANSWERS).parent.iterdir() if path.name.startswith(".pred")] == []


PEAK = """
import resource, sys
import torch
from mnist_lstm.core.inference.predict import predict_tables
from mnist_lstm.core.training.checkpoint import from_bytes
from mnist_lstm.datasets.pictures import opened
from mnist_lstm.datasets.tables import TableDataset
from pathlib import Path

torch.set_num_threads(1)
checkpoint = from_bytes(Path(sys.argv[1]).read_bytes(), "checkpoint")
TableDataset(filepath=sys.argv[3]).save(predict_tables(opened(sys.argv[2]), checkpoint))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(project: Project, path: Path) -> int:
    """The most memory, in kilobytes, that predicting takes."""
    arguments: list[Any] = [sys.executable, "-c", PEAK, project.checkpoints()[0], path, path.with_suffix(".csv")]
    done = subprocess.run(
        arguments, env=surroundings(), cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=LONGEST
    )
    return int(done.stdout)


@pytest.mark.slow
def test_ten_times_the_images_take_no_more_memory(finished: Project, tmp_path: Path) -> None:
    peaks = []
    for times in (10, 100):
        path = tmp_path / f"x{times}-images-idx3-ubyte"
        path.write_bytes(np.array([0x803, 360 * times, 8, 8], ">u4").tobytes() + TEST.images.tobytes() * times)
        peaks.append(peak(finished, path))
        assert len(pd.read_csv(path.with_suffix(".csv"))) == 360 * times
    assert peaks[1] < 1.1 * peaks[0]
