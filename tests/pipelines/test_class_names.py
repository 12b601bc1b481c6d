"""Tables, figures and reports show the class names of each data set."""

from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from mnist_lstm.core.data.splits import Splits
from mnist_lstm.core.plots.images import shortened
from mnist_lstm.datasets.image_sources import FILES, ImageSourcesDataset
from mnist_lstm.parameters import Parameters
from mnist_lstm.pipelines.evaluate.nodes import predict_test, score
from mnist_lstm.pipelines.report import nodes
from mnist_lstm.pipelines.report.pipeline import FIGURES
from mnist_lstm.pipelines.reshape.nodes import reshape
from mnist_lstm.pipelines.train.nodes import train
from tests.support import finished
from tests.support.projects import REPOSITORY, data_parameters
from tests.support.sources import source

# https://github.com/zalandoresearch/fashion-mnist#labels and http://codh.rois.ac.jp/kmnist/
NAMES = {
    "fashion_mnist": "T-shirt/top Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag Ankle_boot",
    "kmnist": "o ki su tsu na ha ma ya re wo",
    "mnist": "0 1 2 3 4 5 6 7 8 9",
}


def entry_of(name: str) -> dict[str, Any]:
    """The catalog's entry of a data set."""
    catalog = yaml.safe_load((REPOSITORY / "conf/base/catalog.yml").read_text())
    return catalog["image_sources"]["idx"][name]  # type: ignore[no-any-return]


def tiny_source(name: str, folder: Path) -> Splits:
    """The data set of the catalog's entry, with a few small images in its files."""
    images, labels = np.random.default_rng(0).integers(0, 256, (60, 6, 4), np.uint8), np.arange(60, dtype=np.uint8) % 10
    entry = source(folder, {key: labels if key.endswith("labels") else images for key in FILES}, validation_images=10)
    entry = entry_of(name) | entry
    return ImageSourcesDataset(path=str(folder / "raw"), idx={name: entry}).load()[name](data_parameters())


def ticks(axis: Any) -> list[str]:
    return [label.get_text() for label in axis.get_ticklabels()]


@pytest.mark.parametrize("name", NAMES)
def test_the_catalog_has_the_class_names(name: str) -> None:
    assert entry_of(name)["class_names"] == [word.replace("_", " ") for word in NAMES[name].split()]


def test_every_table_figure_and_report_shows_the_class_names(tmp_path: Path, small: Parameters) -> None:
    splits, evaluation = tiny_source("fashion_mnist", tmp_path), small.evaluation
    names = splits.card.class_names
    card = splits.card
    parts = reshape(splits.train, splits.valid, splits.test, small.sequence)
    *_, saved = train(parts[0], parts[1], card, {}, small.sequence, small.model, small.training)
    checkpoint, history = saved["checkpoint"], saved["history"]
    predictions = predict_test(checkpoint, parts[2], card, evaluation)
    metrics, per_class, confusion = score(predictions, card, evaluation)
    assert per_class["label"].tolist() == confusion["label"].tolist() == list(confusion)[1:] == names

    by_step, shown = nodes.classify_after_each_step(checkpoint, parts[2], card, evaluation)
    _, _, matrix, mistakes, _, examples = nodes.draw_results(
        checkpoint, history, predictions, parts[2], card, evaluation
    )
    assert ticks(matrix.axes[0].xaxis) == ticks(matrix.axes[0].yaxis) == names
    for axes in filter(lambda axes: axes.images, mistakes.axes):
        position = int(axes.get_xlabel().rpartition(" ")[2])
        assert axes.get_title() == f"is {names[position % 10]}"
        assert axes.get_xlabel().startswith(f"called {names[predictions.logits[position].argmax()]}\n")

    shown_twice = [name for name in names for _ in range(2)]
    assert [axes.get_title() for axes in examples.axes[:20]] == [*map(shortened, shown_twice)]
    for axes, label in zip(examples.axes[:20:2], range(10), strict=True):  # upright, as they lie in the file
        np.testing.assert_array_equal(axes.images[0].get_array(), splits.test.images[label])

    inside = nodes.compute_gates(checkpoint, shown)
    *_, beliefs, states = nodes.draw_readings(checkpoint, by_step, shown, inside, card, evaluation)
    assert ticks(beliefs.axes[1].xaxis) == names
    label, called = names[shown["labels"][0]], names[shown["beliefs"][0, -1].argmax()]
    assert beliefs.axes[0].get_title(loc="left").startswith(f"is {label}, called {called}\n")
    assert states.axes[0].get_title(loc="left").partition(",")[0].removeprefix("is ") in names

    figures = dict.fromkeys(FIGURES, b"\x89PNG")
    page, markdown = nodes.write_report(
        checkpoint, card, metrics, per_class, confusion, by_step, finished.PROVENANCE, **figures
    )
    assert all(f'<th scope="row">{each}</th>' in unescape(page) for each in names)
    assert sum(f"\n| {each} |" in markdown for each in names) == 3
