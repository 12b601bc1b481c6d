"""The page computes what torch computes: probabilities, gates and states."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_lstm.core.data.sequences import VIEWS, pixel_order_for, to_sequences
from mnist_lstm.core.evaluation import by_step, gates
from mnist_lstm.core.explain.page import KINDS
from mnist_lstm.core.model.pooling import POOLINGS
from mnist_lstm.core.training.snapshots import flat
from tests.conftest import read_by
from tests.core.explain.javascript import in_node
from tests.support import tiny

LETTERS = {
    "lstm": {"i": "input gate", "f": "forget gate", "o": "output gate", "c": "cell state", "h": "hidden state"},
    "gru": {"r": "reset gate", "z": "update gate", "n": "candidate state", "h": "hidden state"},
    "rnn": {"h": "hidden state"},
}
READ = """({networks, images}) => networks.map(({sizes, order, weights}) => {
  const net = network(sizes, Float32Array.from(weights));
  return images.map((image) => {
    const {seen, probabilities, decided} = read(net, sequenceOf(image, order));
    const last = read(net, sequenceOf(image, order), {}, true).probabilities[0];
    return {probabilities, decided, last,
      ...Object.fromEntries(Object.entries(seen).map(([k, v]) => [k, Array.from(v)]))};
  });
})"""
COMBINATIONS = list(itertools.product(KINDS, POOLINGS, [1, 2], [False, True]))


def given(cell: str, pooling: str, layers: int, both: bool, view: str = "rows") -> tuple[Any, Any, dict[str, Any]]:
    """A network, the test images as its sequences, and what the page gets of it."""
    order = pixel_order_for(read_by(view), tiny.HEIGHT, tiny.WIDTH)
    changes = {"cell": cell, "pooling": pooling, "bidirectional": both}
    classifier = tiny.classifier(layers, order.shape[1], **changes)
    sizes = {"cell": cell, "hidden": tiny.HIDDEN, "layers": layers, "directions": 1 + both, "pooling": pooling}
    sizes |= {"features": order.shape[1], "classes": tiny.CLASSES}
    page = {"sizes": sizes, "order": order.ravel().tolist(), "weights": flat(classifier.state_dict()).tolist()}
    return classifier, to_sequences(tiny.images(6), order), page


def test_each_cell_pooling_layer_and_direction_computes_what_torch_does(tmp_path: Path) -> None:
    compare([given(*each) for each in COMBINATIONS], tmp_path)


def test_each_view_is_read_as_torch_reads_it(tmp_path: Path) -> None:
    compare([given("lstm", "last", 1, False, view) for view in VIEWS], tmp_path)


def compare(networks: list[Any], folder: Path) -> None:
    images = [image.ravel().tolist() for image in tiny.images(6)]
    found = in_node(READ, folder, networks=[page for *_, page in networks], images=images)
    for (classifier, sequences, page), answers in zip(networks, found, strict=True):
        expected = by_step.class_probabilities_by_step(classifier, sequences)
        last = tiny.probabilities(classifier, sequences)
        states = gates.states(classifier, sequences)
        for n, answer in enumerate(answers):
            np.testing.assert_allclose(answer["probabilities"], expected[n], atol=1e-5)
            np.testing.assert_allclose(answer["last"], last[n], atol=1e-5)
            assert answer["decided"] == by_step.decision_steps(expected[n].argmax(axis=-1))
            for letter, name in LETTERS[page["sizes"]["cell"]].items():
                np.testing.assert_allclose(answer[letter], states[name][n].ravel(), atol=1e-5)


HELD = """({page, image, hold}) => Array.from(
  read(network(page.sizes, Float32Array.from(page.weights)), sequenceOf(image, page.order), hold).seen.c)"""


@pytest.mark.parametrize(("hold", "sign"), [({"i": 0}, 0), ({"f": 1, "i": 1}, 1)])
def test_a_gate_that_is_held_stays_where_it_is_held(hold: dict[str, int], sign: int, tmp_path: Path) -> None:
    *_, page = given("lstm", "last", 1, False)
    cells = np.reshape(in_node(HELD, tmp_path, page=page, image=tiny.images(1)[0].ravel().tolist(), hold=hold), (6, 5))
    assert (np.abs(np.diff(cells, axis=0)).max() > 0.1) == bool(sign)  # shut: the memory stays empty
    assert (np.abs(cells) > 0).any() == bool(sign)
