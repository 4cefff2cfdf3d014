"""A real browser: Chromium of the system, run by Playwright without a window (the extra `browser`)."""

from typing import TYPE_CHECKING, Final

import pytest

from tests.browser.chromium import chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """One for the tests of a file: as long as Playwright runs, no other test of the process can use asyncio."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright (the extra `browser`) is not installed")
    command = chromium()
    if command is None:
        pytest.skip("no Chromium is installed")
    with playwright.sync_playwright() as running, running.chromium.launch(executable_path=command) as launched:
        yield launched


@pytest.fixture
def context(browser: "Browser") -> "Iterator[BrowserContext]":
    """A profile of its own, in which no page reaches another host than this one."""
    with browser.new_context(viewport={"width": 1440, "height": 900}) as opened:
        opened.route(lambda url: not url.startswith(LOCAL), lambda route: route.abort())
        yield opened


LOCAL: Final = ("file:", "data:", "http://127.0.0.1:", "http://localhost:", "http://[::1]:")


@pytest.fixture
def page(context: "BrowserContext") -> "Iterator[Page]":
    """A page on which no script fails, and that keeps to its own policy."""
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda message: wrong.extend([message.text] * (message.type in {"error", "warning"})))
    opened.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
    yield opened
    assert wrong == []
