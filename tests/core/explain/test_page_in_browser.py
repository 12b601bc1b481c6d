"""The page in Chromium: every interaction, every kind of network, without an error or a request."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mnist_lstm.core.explain.page import page
from mnist_lstm.core.model.classifier import classify
from mnist_lstm.core.training.checkpoint import from_bytes
from mnist_lstm.datasets.npz import SequencesDataset
from tests.core.explain.test_page import given
from tests.support.browser import Watched
from tests.support.mnist_run import needs_mnist
from tests.support.projects import Project


@contextmanager
def opened(browser: Any, file: Path, **options: Any) -> Iterator[Any]:
    """The page, ready; at the end it must have complained of nothing and asked for nothing."""
    watched = Watched(browser, **({"viewport": {"width": 1200, "height": 900}, "reduced_motion": "reduce"} | options))
    watched.page.goto(file.as_uri())
    watched.page.wait_for_selector("html[data-ready]", state="attached")
    yield watched.page
    asked = watched.asked_beside(file.as_uri())
    watched.page.close()
    assert (watched.told, asked) == ([], [])


@pytest.fixture(scope="module")
def run_page(finished: Project) -> Path:
    """The page that a run on the bundled digits wrote."""
    return finished.path / "data/08_reporting/explain.html"


def text(seen: Any, name: str) -> str:
    return str(seen.text_content(f"#{name}"))


def drawn(seen: Any, *points: tuple[float, float]) -> None:
    """Draws a line by mouse, through points as fractions of the pad."""
    seen.locator("#pad").scroll_into_view_if_needed()
    box = seen.locator("#pad").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    seen.mouse.move(*places[0])
    seen.mouse.down()
    for place in places[1:]:
        seen.mouse.move(*place, steps=8)
    seen.mouse.up()
    seen.wait_for_timeout(100)


def counted(seen: Any, name: str) -> int:
    """How many test images are right, as soon as the page has counted anew."""
    seen.wait_for_timeout(100)
    seen.locator(f"#{name}-count").scroll_into_view_if_needed()
    seen.locator(f"#{name}-count:has-text('images are right')").wait_for()
    return int(text(seen, f"{name}-count").split()[0])


def named(seen: Any, name: str) -> None:
    """Waits until the page says that it reads this image, as a busy machine draws later."""
    seen.locator("#digit-name", has_text=name).wait_for()


def test_one_draws_by_mouse_and_keys_and_a_dot_is_doubted(browser: Any, run_page: Path) -> None:
    with opened(browser, run_page) as seen:
        drawn(seen, (0.5, 0.1), (0.5, 0.9))
        named(seen, "your drawing")
        seen.click("#clear")
        named(seen, "test image 0")
        seen.focus("#pad")
        seen.keyboard.down(" ")
        for _ in range(12):
            seen.keyboard.press("ArrowDown")
        seen.keyboard.up(" ")
        named(seen, "your drawing")


def test_one_plays_scrubs_and_points(browser: Any, run_page: Path) -> None:
    with opened(browser, run_page, reduced_motion="no-preference") as seen:
        seen.locator("#digit-name:has-text('test image 1,')").wait_for()  # the page began by itself, and goes on
        seen.click("#play")
        seen.locator("#play[aria-label=Play]").wait_for()
        seen.click("#play")
        seen.locator("#play[aria-label=Pause]").wait_for()
        seen.locator("#step").fill("3")
        seen.locator("#where:has-text('row 3 of 8')").wait_for()
        seen.focus("#inside-map canvas")
        seen.keyboard.press("ArrowDown")
        seen.keyboard.press("ArrowRight")
        seen.locator("#unit-title:has-text('at row 4')").wait_for()
        seen.click("[data-key=shown][data-value=f]")
        assert seen.evaluate("state.shown") == "f"
        seen.click("[data-key=lit][data-value=W]")
        seen.locator("#unrolled[data-lit=W]").wait_for()
        assert "row 4 of 8" in text(seen, "bars-title")


def test_one_learns_holds_a_gate_and_changes_pixels(browser: Any, run_page: Path) -> None:
    with opened(browser, run_page) as seen:
        seen.locator("#snapshot").fill("0")
        seen.locator("#snapshot-title:has-text('After 0 of 799 updates')").wait_for()
        young = counted(seen, "young")
        trained = counted(seen, "held")
        seen.click("[data-key=hold_f][data-value='0']")
        forgetful = counted(seen, "held")
        seen.click("[data-key=hold_f][data-value='']")
        assert counted(seen, "held") == trained
        assert trained > 180 > forgetful
        assert trained > 180 > young
        seen.locator("#step").fill("4")
        seen.click("#erase")
        seen.locator("#apart-says:has-text('Was ')").wait_for()
        seen.click("#restore")
        seen.locator("#apart-says:has-text('Nothing is changed')").wait_for()
        seen.focus("#editor")
        for key in ("ArrowRight", "ArrowDown", " "):
            seen.keyboard.press(key)
        seen.locator("#apart-says:has-text('Was ')").wait_for()
        seen.locator("#unit").fill("7")
        seen.locator("#nine button").nth(8).wait_for()
        assert text(seen, "unit-name") == "Unit 7"
        boxes = [seen.locator(f"#nine {name}").first.bounding_box() for name in ("canvas", ".frame")]
        assert boxes[0]["x"] == pytest.approx(boxes[1]["x"], abs=1)  # the frame of a row spans its image
        assert boxes[0]["width"] == pytest.approx(boxes[1]["width"], abs=1)


POOLINGS = itertools.cycle(["last", "mean", "attention", "mean", "last"])
KINDS = list(zip(itertools.product(["lstm", "gru", "rnn"], [1, 2], [False, True]), POOLINGS, strict=False))


def test_the_page_of_any_network_opens_and_can_be_used(browser: Any, tmp_path: Path) -> None:
    for (cell, layers, both), pooling in KINDS:
        made = given(layers=layers, cell=cell, pooling=pooling, bidirectional=both)
        (tmp_path / "page.html").write_text(page(made, given(cell="gru")))
        with opened(browser, tmp_path / "page.html") as seen:
            seen.locator("#step").fill("2")
            seen.click("#another")
            seen.locator("#unit").fill("4")
            drawn(seen, (0.3, 0.2), (0.7, 0.8))
            assert "%" in text(seen, "now-share")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone_and_a_finger_draws(browser: Any, run_page: Path, scheme: str) -> None:
    phone = {"viewport": {"width": 360, "height": 800}, "has_touch": True, "color_scheme": scheme}
    with opened(browser, run_page, **phone) as seen:
        assert seen.evaluate("document.documentElement.scrollWidth") <= 360
        seen.locator("#pad").tap()
        seen.wait_for_timeout(100)
        assert "your drawing" in text(seen, "digit-name")
        colour = seen.evaluate("getComputedStyle(document.body).backgroundColor")
        assert colour == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 26)"}[scheme]


@needs_mnist
def test_the_tutorials_network_gives_torchs_probabilities_on_1000_images(browser: Any, mnist: Project) -> None:
    data, written = mnist.path / "data", mnist.path / "data/08_reporting/explain.html"
    test = SequencesDataset(filepath=str(data / "05_model_input/test_sequences.npz")).load()
    classifier = from_bytes(mnist.checkpoints()[0].read_bytes(), "checkpoint").classifier()
    expected = torch.softmax(torch.from_numpy(classify(classifier, test.sequences[:1000], 250)), dim=1).numpy()
    assert written.stat().st_size <= 2_500_000
    with opened(browser, written) as seen:
        compute = "images => images.map((image) => read(net, sequence(image), {}, true).probabilities[0])"
        found = seen.evaluate(compute, test.sequences[:1000].reshape(1000, -1).tolist())
        np.testing.assert_allclose(found, expected, atol=1e-5)
        drawn(seen, (0.5, 0.15), (0.5, 0.85))
        assert text(seen, "now-answer") == "1"
        drawn(seen, (0.1, 0.2), (0.1, 0.8))
        assert "does not look like one digit" in text(seen, "doubt")
