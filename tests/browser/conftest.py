"""A server of our own and a real browser for the tests of what moves."""

import shutil
import tempfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, ViewportSize, expect, sync_playwright

from benchmarks.common import CHROMIUM_FLAGS
from tests.needs import lack, need_data
from tests.server import free_port, running_server

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
VIEWPORT: ViewportSize = {"width": 1440, "height": 900}
PATIENCE_MS = 20_000  # with which a page is waited for: the machine may be busy with a training

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with running_server(free_port()) as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[BrowserType]:
    """Starts Debian's Chromium, not one of Playwright's own."""
    if CHROMIUM is None:
        lack("no Chromium on this machine: install Debian's package chromium")
    with sync_playwright() as playwright:
        yield playwright.chromium


@pytest.fixture(scope="session")
def context(chromium: BrowserType) -> Iterator[BrowserContext]:
    """One for all tests, with a folder: what it fetched and compiled for one page it has for the next.

    A page opens in half the time that it takes in a fresh context.
    """
    with tempfile.TemporaryDirectory() as folder:
        context = chromium.launch_persistent_context(
            folder, executable_path=CHROMIUM, args=list(CHROMIUM_FLAGS), viewport=VIEWPORT, accept_downloads=True
        )
        context.set_default_timeout(PATIENCE_MS)
        yield context
        context.close()


@pytest.fixture(scope="session")
def browser(chromium: BrowserType) -> Iterator[Browser]:
    """For tests of what a fresh browser sees."""
    browser = chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_FLAGS))
    yield browser
    browser.close()


@pytest.fixture
def training_digits() -> None:
    """For tests that need MNIST's training images on this machine."""
    need_data("mnist")


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page of its own in a browser that knows of no visit before."""
    page = context.new_page()
    page.set_viewport_size(VIEWPORT)  # whatever the test before chose
    yield page
    origin = page.evaluate("location.origin")
    page.goto("about:blank")  # whatever it had to keep still is kept by now
    if origin != "null":
        context.new_cdp_session(page).send(
            "Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "local_storage"}
        )
    page.close()
