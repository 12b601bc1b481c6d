"""Series of several lengths pass through every node, and a file of them is predicted as they were tested."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from mnist_lstm.core.data.series import padded
from mnist_lstm.core.inference.predict import preprocess_each
from mnist_lstm.core.plots.contact_sheet import contact_sheet
from mnist_lstm.core.report.pictures import of_image
from mnist_lstm.core.training.checkpoint import from_bytes, to_bytes
from mnist_lstm.datasets.checkpoints import ExportedModelDataset
from mnist_lstm.datasets.own_data import read
from mnist_lstm.datasets.pictures import opened
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import AugmentationParameters, Parameters, PredictParameters
from mnist_lstm.pipelines.evaluate.nodes import predict_test, score
from mnist_lstm.pipelines.predict.nodes import _with_progress, predict_pictures
from mnist_lstm.pipelines.report import nodes
from mnist_lstm.pipelines.report.pipeline import FIGURES
from mnist_lstm.pipelines.reshape.nodes import reshape
from mnist_lstm.pipelines.train.nodes import export, train
from tests.pipelines.test_figures import DRAWN
from tests.support import finished
from tests.support.projects import data_parameters

NAMES = ["rest", "walk", "run"]


def made(folder: Path, steps: int = 9) -> Path:
    """Waves of three speeds, of which the one feature is a thousand times the other, that end between step 5 and 9."""
    random, arrays = np.random.default_rng(2), dict[str, Any]()
    for split, count in (("train", 60), ("test", 20)):
        labels, time = np.arange(count) % 3, np.arange(steps)
        phase = random.uniform(0, 1, count)[:, None] + (labels[:, None] + 0.2) * time
        values = np.stack([np.sin(phase), 500 + 1000 * np.cos(phase)], axis=2).astype(np.float32)
        values[time >= random.integers(5, steps + 1, count)[:, None]] = np.nan
        arrays |= {f"x_{split}": values, f"y_{split}": np.array(NAMES)[labels]}
    np.savez(folder / "waves.npz", **arrays)
    return folder / "waves.npz"


@pytest.mark.parametrize("both", [False, True])
def test_series_pass_through_every_node(
    both: bool, tmp_path: Path, small: Parameters, caplog: pytest.LogCaptureFixture
) -> None:
    path, evaluation = made(tmp_path), small.evaluation
    model = small.model.model_copy(update={"bidirectional": both, "hidden_size": 20, "dropout": 0.0})
    training = small.training.model_copy(update={"iterations": 60, "validate_every": 30})
    splits = read(data_parameters(path=str(path)))
    card = splits.card
    parts = reshape(splits.train, splits.valid, splits.test, small.sequence)
    *_, saved = train(parts[0], parts[1], card, {}, small.sequence, model, training)
    checkpoint, history = from_bytes(to_bytes(saved["checkpoint"]), "it"), saved["history"]
    predictions = predict_test(checkpoint, parts[2], card, evaluation)
    metrics, per_class, confusion = score(predictions, card, evaluation)
    assert metrics["data"] == "20 test series of waves"
    assert metrics["test/accuracy"] > 0.8

    by_step, shown = nodes.classify_after_each_step(checkpoint, parts[2], card, evaluation)
    results = nodes.draw_results(checkpoint, history, predictions, parts[2], card, evaluation)
    inside = nodes.compute_gates(checkpoint, shown)
    beliefs = nodes.draw_readings(checkpoint, by_step, shown, inside, card, evaluation)
    image = beliefs[2].axes[0].images[0].get_array()
    assert image.shape == (9, 2)
    assert np.abs(np.ma.filled(image, 0)).max() < 5  # in deviations from the mean, not in thousands
    assert len([*results, *beliefs]) == len(DRAWN)

    figures = dict.fromkeys(FIGURES, b"")
    page, model_card = nodes.write_report(
        checkpoint, card, metrics, per_class, confusion, by_step, finished.PROVENANCE, **figures
    )
    for written in (page, model_card):
        assert "It reads a series as 9 time steps of 2 features and names one of 3 classes" in written
        assert "80 series of 5 to 9 steps of 2 features" in written
        assert not re.findall(r".{30}\b(?:images?|pixels?)\b(?![/;-]).{20}", written)
    assert "reads series of numbers" in nodes.write_explain_page(
        checkpoint, saved["snapshots"], card, parts[2], predictions, by_step
    )

    content = ExportedModelDataset(filepath=str(tmp_path / "it.pt2")).encode(export(checkpoint, splits.valid))
    exported = ExportedModelDataset(filepath=str(tmp_path / "it.pt2")).decode(content)
    asked = PredictParameters(folder=str(path), model="champion")
    with caplog.at_level("INFO"):
        (answers,) = predict_pictures(lambda _: checkpoint, opened, asked)
    assert "20 series: 20 answered" in caplog.text
    probabilities = answers[[f"p_{name}" for name in card.class_names]].to_numpy()
    for found in (probabilities, exported(torch.from_numpy(splits.test.images)).detach().numpy()):
        expected = np.exp(predictions.logits - predictions.logits.max(axis=1, keepdims=True))
        np.testing.assert_allclose(found, expected / expected.sum(axis=1, keepdims=True), atol=1e-5)
    assert answers["file"].tolist()[:2] == ["waves.npz[0]", "waves.npz[1]"]
    drawn = [each._replace(image=checkpoint.drawn(each.image)) for each in preprocessed(path, card)]
    assert contact_sheet(drawn, answers, "waves").axes
    assert of_image(splits.test.images[0]).startswith(b"\x89PNG")


def preprocessed(path: Path, card: Any) -> list[Any]:
    return list(preprocess_each(opened(str(path), "series"), card))


def test_what_is_no_series_of_the_model_is_skipped_with_the_reason(tmp_path: Path) -> None:
    card = read(data_parameters(path=str(made(tmp_path)))).card
    (tmp_path / "waves.npz").unlink()
    skipped = pd.DataFrame({"file": ["a"], "digit": [None], "doubt": [None], "skipped": ["blank"]})
    with pytest.raises(UserError, match=r"predict.folder must hold series .* found none in 1; a: skipped, blank"):
        list(_with_progress(iter([skipped]), "series"))
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    longer = padded(np.random.default_rng(0).normal(size=(1, 12, 2)).astype(np.float32), 12)
    np.savez(tmp_path / "b.npz", x=longer)
    pd.DataFrame([[1, 0.5, 2.5]]).to_csv(tmp_path / "c_TEST.tsv", sep="\t", header=False, index=False)
    first, second, third = (each.skipped for each in preprocessed(tmp_path, card))
    assert first == "no file of series (npz, .ts, .tsv), which the model reads"
    assert second == "12 x 2: must be at most 9 steps of 2 features"
    assert third == "2 x 1: must be at most 9 steps of 2 features"


def test_series_are_neither_moved_nor_read_by_another_view(tmp_path: Path, small: Parameters) -> None:
    splits = read(data_parameters(path=str(made(tmp_path))))
    columns = small.sequence.model_copy(update={"view": "columns"})
    with pytest.raises(UserError, match=r"'sequence.view' must be rows for series, .* not 'columns'"):
        reshape(splits.train, splits.valid, splits.test, columns)
    parts = reshape(splits.train, splits.valid, splits.test, small.sequence)
    moved = AugmentationParameters(rotation=1, scale=0, shear=0, shift=0, elastic=0, elastic_sigma=1, pixel_dropout=0)
    training = small.training.model_copy(update={"augmentation": moved})
    with pytest.raises(UserError, match=r"training.augmentation must be all zero for series"):
        next(train(parts[0], parts[1], splits.card, {}, small.sequence, small.model, training))
