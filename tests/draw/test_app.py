"""The page's server, and the page in a real browser."""

import base64
import io
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import pytest
import torch
import uvicorn
from click.testing import CliRunner
from kedro.framework.startup import bootstrap_project
from numpy.testing import assert_array_equal
from PIL import Image

from mnist_lstm.cli import cli
from mnist_lstm.core.evaluation.by_step import decision_steps
from mnist_lstm.core.inference.decode import decode
from mnist_lstm.core.inference.preprocess import frame_of, preprocess
from mnist_lstm.core.model.export import ImageClassifier
from mnist_lstm.core.training.checkpoint import Checkpoint, from_bytes
from mnist_lstm.draw.app import HOSTS, MOST_BYTES, PAGE, application
from tests.support import tiny
from tests.support.mnist_run import needs_mnist
from tests.support.projects import Project, copied, surroundings

PNG = {"content-type": "image/png"}


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def told(self) -> Any:
        return json.loads(self.content)


class Site:
    """The page on a model, at a free port of this machine."""

    def __init__(self, checkpoint: Checkpoint):
        config = uvicorn.Config(application(checkpoint), host="127.0.0.1", port=0, log_level="critical")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.02)
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        reply = connection.getresponse()
        found = Reply(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
        connection.close()
        return found

    def read(self, picture: bytes) -> Reply:
        return self.ask("POST", "/read", picture, **PNG)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site(tiny.checkpoint())
    yield made
    made.close()


def png(image: Any) -> bytes:
    content = io.BytesIO()
    Image.fromarray(image).save(content, "PNG")
    return content.getvalue()


DRAWING = np.full((280, 280), 255, np.uint8)
DRAWING[40:240, 130:150] = 0


def test_the_answer_is_the_models_for_the_picture_prepared_as_every_picture_is(site: Site) -> None:
    told, checkpoint = site.read(png(DRAWING)).told, tiny.checkpoint()
    image = preprocess(decode(png(DRAWING)), frame_of(checkpoint.data))
    assert_array_equal(told["image"], image)
    classifier = ImageClassifier(checkpoint.classifier(), checkpoint.pixel_order()).eval()
    with torch.inference_mode():
        expected = classifier(torch.from_numpy(image)[None])[0].numpy()
    assert len(told["beliefs"]) == tiny.HEIGHT
    np.testing.assert_allclose(told["beliefs"][-1], expected, atol=1e-6)
    assert told["decided"] == decision_steps(np.argmax(told["beliefs"], axis=-1))


def test_the_model_says_what_it_is(site: Site) -> None:
    about = site.ask("GET", "/model").told
    assert about == {"model": "lstm5 rows s1 on Tiny", "classes": tiny.NAMES, "step": "row", "by_rows": True}


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (png(np.full((9, 9), 255, np.uint8)), 422, "blank"),
        (b"", 422, "no picture"),
        (b"no picture", 422, "no picture"),
        (png(DRAWING)[:60], 422, "damaged"),
        (bytes(MOST_BYTES + 1), 413, "at most"),
    ],
)
def test_what_is_no_drawing_is_refused_with_the_reason_and_the_server_goes_on(
    site: Site, body: bytes, status: int, reason: str
) -> None:
    reply = site.read(body)
    assert reply.status == status
    assert reason in reply.told["detail"]
    assert site.read(png(DRAWING)).status == 200


def test_only_a_png_is_taken(site: Site) -> None:
    assert site.ask("POST", "/read", png(DRAWING), content_type="text/plain").status == 415


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "[", "10.0.0.1", "localhost@evil.example"]
)
@pytest.mark.parametrize("path", ["/", "/model", "/draw.js", "/nothing"])
def test_another_host_is_refused(site: Site, host: str, path: str) -> None:
    assert site.ask("GET", path, host=host).status == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "https://localhost"])
def test_a_page_of_another_origin_is_refused(site: Site, origin: str) -> None:
    assert site.ask("POST", "/read", png(DRAWING), origin=origin, **PNG).status == 403


@pytest.mark.parametrize("host", HOSTS)
def test_this_machine_may_be_called_by_its_names(site: Site, host: str) -> None:
    named = f"[{host}]:{site.port}" if ":" in host else f"{host}:{site.port}"
    assert site.ask("POST", "/read", png(DRAWING), host=named, origin=f"http://{named}", **PNG).status == 200


@pytest.mark.parametrize("path", ["/../app.py", "/%2e%2e/app.py", "/..%2fapp.py", "/docs", "/openapi.json"])
def test_nothing_but_the_page_is_served(site: Site, path: str) -> None:
    assert site.ask("GET", path).status == 404


def test_the_page_may_load_nothing_from_elsewhere(site: Site) -> None:
    reply = site.ask("GET", "/")
    assert reply.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert not [path.name for path in PAGE.iterdir() if b"http" in path.read_bytes()]


def test_the_page_is_part_of_the_package() -> None:
    assert sorted(path.name for path in PAGE.iterdir()) == ["draw.css", "draw.js", "index.html"]


# in the browser

SEVEN = [(60, 60), (210, 60), (120, 240)]
ONE = [(140, 40), (140, 240)]
ZERO = [(140, 40), (80, 90), (70, 150), (90, 220), (140, 245), (190, 220), (210, 150), (200, 90), (140, 40)]


def drawn_on(page: Any, points: list[tuple[int, int]]) -> str:
    """What the page answers to a drawing by mouse, through points of 280 x 280."""
    page.click("#clear")
    box = page.locator("#pad").bounding_box()
    places = [(box["x"] + x * box["width"] / 280, box["y"] + y * box["height"] / 280) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    with page.expect_response("**/read"):
        page.mouse.up()
        page.mouse.down()
        page.mouse.up()
    settle(page)
    return str(page.text_content("#answer"))


def settle(page: Any) -> None:
    """Waits until the last question has been answered."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(100)


@pytest.fixture(scope="module")
def trained(finished: Project) -> Iterator[Site]:
    """The page on a model of the bundled digits."""
    made = Site(from_bytes(finished.checkpoints()[0].read_bytes(), "checkpoint"))
    yield made
    made.close()


@pytest.fixture
def page(browser: Any, trained: Site) -> Iterator[Any]:
    """The page on that model; at the end it must have complained of nothing and asked nobody else."""
    with opened(browser, trained) as shown:
        yield shown


@contextmanager
def opened(browser: Any, site: Site) -> Iterator[Any]:
    shown = browser.new_page(viewport={"width": 1000, "height": 900}, reduced_motion="reduce")
    told, asked = [], []
    shown.on("console", lambda message: told.append(message.text))
    shown.on("pageerror", lambda error: told.append(str(error)))
    shown.on("request", lambda request: asked.append(request.url))
    shown.goto(site.url)
    shown.locator("#bars li").nth(9).wait_for()
    yield shown
    shown.close()
    assert told == []
    assert not [url for url in asked if not url.startswith((site.url, "data:"))]


@needs_mnist
@pytest.mark.slow
def test_a_one_a_seven_and_a_zero_drawn_by_mouse_or_keys_are_read(browser: Any, mnist: Project) -> None:
    knows = Site(from_bytes(mnist.checkpoints()[0].read_bytes(), "checkpoint"))
    with opened(browser, knows) as page:
        assert [drawn_on(page, points) for points in (ONE, SEVEN, ZERO)] == ["1", "7", "0"]
        page.keyboard.press("Escape")
        assert drawn_by_keys(page) == "1"
    knows.close()


def drawn_by_keys(page: Any) -> str:
    """What the page answers to a line from the top to the bottom, by arrow keys and Space."""
    page.focus("#pad")
    for _ in range(12):
        page.keyboard.press("ArrowUp")
    page.keyboard.down(" ")
    for _ in range(24):
        page.keyboard.press("ArrowDown")
    page.keyboard.up(" ")
    settle(page)
    return str(page.text_content("#answer"))


def test_the_page_shows_the_beliefs_by_row_and_the_image_that_was_given(page: Any) -> None:
    drawn_on(page, ZERO)
    sizes = "id => [document.getElementById(id).width, document.getElementById(id).height]"
    assert page.evaluate(sizes, "beliefs") == [10, 8]
    assert page.evaluate(sizes, "seen") == [8, 8]
    assert page.text_content("#decided").startswith("From")
    widths = page.evaluate("[...document.querySelectorAll('.fill')].map(bar => bar.getBoundingClientRect().width)")
    assert max(widths) > 50
    assert page.text_content("#answer") == str(np.argmax(widths))


@pytest.mark.parametrize("by", ["#clear", "Escape"])
def test_clear_empties_the_page(page: Any, by: str) -> None:
    drawn_on(page, ONE)
    page.click(by) if by.startswith("#") else page.keyboard.press(by)
    assert page.text_content("#answer") == "–"
    assert page.text_content("#sure") == "nothing drawn yet"
    pixels = base64.b64decode(page.evaluate("document.getElementById('pad').toDataURL()").partition(",")[2])
    assert (decode(pixels) == 255).all()


def test_the_keyboard_reaches_the_pad_first_and_draws(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "pad"
    assert drawn_by_keys(page) != "–"


@pytest.mark.parametrize(
    ("width", "scheme", "paper"), [(360, "light", "rgb(255, 255, 255)"), (1200, "dark", "rgb(22, 24, 27)")]
)
def test_the_page_fits_a_phone_and_follows_the_scheme(
    browser: Any, trained: Site, width: int, scheme: str, paper: str
) -> None:
    seen = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    seen.goto(trained.url)
    seen.locator("#bars li").nth(9).wait_for()
    assert seen.evaluate("document.documentElement.scrollWidth") <= width
    assert seen.evaluate("getComputedStyle(document.body).backgroundColor") == paper
    seen.close()


def test_a_finger_draws(browser: Any, trained: Site) -> None:
    seen = browser.new_page(viewport={"width": 360, "height": 800}, has_touch=True)
    seen.goto(trained.url)
    seen.locator("#bars li").nth(9).wait_for()
    with seen.expect_response("**/read"):
        seen.touchscreen.tap(150, 200)
    settle(seen)
    assert seen.text_content("#answer") != "–"
    seen.close()


# the command


def test_without_a_champion_the_command_says_what_to_run(empty_store: Path, tmp_path: Path) -> None:
    made = copied(tmp_path)
    (made.path / "mlflow.db").write_bytes(empty_store.read_bytes())
    with mock.patch.dict(os.environ, surroundings(), clear=True):
        bootstrap_project(made.path)
        done = CliRunner().invoke(cli, ["draw"], obj=SimpleNamespace(project_path=made.path))
    assert done.exit_code == 1
    assert done.output.startswith("Error: the registered model 'mnist-lstm' has no champion yet; train one")
