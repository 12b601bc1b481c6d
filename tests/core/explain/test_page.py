"""What the page holds, and how it is put together."""

import re
from typing import Any

import numpy as np
import pytest

from mnist_lstm.core.data.sequences import pixel_order_for, to_sequences
from mnist_lstm.core.evaluation.metrics import Predictions
from mnist_lstm.core.explain.content import IMAGES, MISTAKES, Content, content
from mnist_lstm.core.explain.page import MODULES, content_of, page, page_without, reason_against, script
from mnist_lstm.core.plots.style import PALETTE
from mnist_lstm.core.training.snapshots import Snapshots, flat
from tests.conftest import read_by
from tests.support import tiny

SEQUENCES = to_sequences(tiny.images(20), pixel_order_for(read_by("rows"), 6, 4))


def given(**changes: Any) -> Content:
    """The content of the page about a tiny network."""
    checkpoint = tiny.checkpoint(**changes)
    taken = Snapshots(checkpoint.fingerprint, {0: flat(checkpoint.weights).astype(np.float16)})
    by_step = {"step": np.arange(1, 7), "accuracy": np.linspace(0, 1, 7)[1:]}
    return content(checkpoint, taken, SEQUENCES, tiny.predictions(), by_step)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_page_gives_its_content_back_and_one_of_another_version_nothing(cell: str) -> None:
    made = given(cell=cell)
    assert content_of(page(made)) == made | {"other": None}
    assert content_of(page(made | {"version": 0})) is None
    assert content_of("<html></html>") is None


def test_a_page_names_no_other_place_and_names_of_classes_stay_text() -> None:
    written = page(given(), given(cell="gru"))
    assert "default-src 'none'" in written
    assert not re.findall(r"https?://[\w./]+", written)
    assert "<b>bold</b>" not in written
    assert page(given()).count("<script") == page(given()).count("</script>") == 2


def test_snapshots_of_another_training_are_left_out() -> None:
    another = Snapshots("another", {0: np.zeros(3, np.float16)})
    made = content(tiny.checkpoint(), another, SEQUENCES[:3], None, None)
    assert made["snapshots"] == []
    assert "left no snapshots" in page(made)


def test_the_first_images_are_shown_and_then_the_surest_mistakes() -> None:
    count = IMAGES + 50
    sequences = np.zeros((count, 6, 4), np.uint8)
    logits = np.tile(np.array([9.0, 0, 0], np.float32), (count, 1))
    labels = np.zeros(count, np.uint8)
    labels[[3, *range(IMAGES, IMAGES + 9)]] = 1
    made = content(tiny.checkpoint(), Snapshots("", {}), sequences, Predictions(logits, labels), None)
    assert (made["images"]["count"], made["images"]["first"]) == (IMAGES + MISTAKES, IMAGES)
    assert made["images"]["labels"][-MISTAKES:] == [1] * MISTAKES


def test_no_module_needs_another_that_comes_later() -> None:
    for number in range(1, len(MODULES) + 1):
        assert not re.search(r"^(import|export) ", script(MODULES[:number]), re.MULTILINE)


def test_the_colours_of_what_is_measured_are_those_of_the_figures() -> None:
    style = page(given()).partition("<style>")[2].partition("</style>")[0]
    light, dark = (re.findall(rf"--{name}: (#\w+)", style) for name in ("blue", "orange"))
    assert {colour.upper() for colour in [*light, *dark, *re.findall(r"--mark: (#\w+)", style)]} <= {*PALETTE}


def test_the_pad_says_where_predict_uses_whole_pictures() -> None:
    made = given()
    whole = made | {"frame": made["frame"] | {"whole": True}}
    assert ["differ from this pad" in page(each) for each in (made, whole)] == [False, True]


@pytest.mark.parametrize("changes", [{"gates": "refined", "forget_bias": 0.0}, {"zoneout": 0.1}])
def test_a_network_whose_cells_the_page_cannot_compute_has_none(changes: dict[str, Any]) -> None:
    assert reason_against(tiny.checkpoint()) is None
    assert "has refined gates or zoneout" in page_without(reason_against(tiny.checkpoint(**changes)) or "")
