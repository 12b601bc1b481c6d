"""A real browser, for pages that people open; without one on this machine such tests are skipped."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium or Chrome, driven by Playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium, args=OPTIONS)
        yield opened
        opened.close()


class Watched:
    """A page of the browser, with its requests and its errors."""

    def __init__(self, browser: Any, **options: Any):
        self.page = browser.new_page(**options)
        self.asked: list[str] = []
        self.told: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.told.append(str(error)))
        self.page.on("dialog", lambda dialog: self.told.append(dialog.message))

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.told.append(message.text)

    def asked_beside(self, url: str) -> list[str]:
        """The requests that went elsewhere than below `url`."""
        own = (url, "data:", f"blob:{url}")
        return [asked for asked in self.asked if not asked.startswith(own)]
