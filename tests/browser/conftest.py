"""A server of our own and a real browser for the tests of what moves."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, ViewportSize, expect, sync_playwright

from benchmarks.common import CHROMIUM_FLAGS
from tests.needs import lack, need_data
from vae_core.runtime.locations import CACHE_VARIABLE, HOME_VARIABLE

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
VIEWPORT: ViewportSize = {"width": 1440, "height": 900}
START_SECONDS = 60
PATIENCE_MS = 20_000  # with which a page is waited for: the machine may be busy with a training

expect.set_options(timeout=PATIENCE_MS)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running_server(port: int, entry: str = "app/server.py", *, prefix: str = "", models: str = "") -> Iterator[str]:
    """Start the app, wait until it answers, stop it at the end; yields its address.

    Args:
        port: That it listens on.
        entry: What is run.
        prefix: Of its paths.
        models: Folder with models beside the shipped ones.
    """
    options = ["--server.port", str(port), "--server.baseUrlPath", prefix]
    command = [sys.executable, "-m", "streamlit", "run", entry, *options]
    with (
        tempfile.TemporaryDirectory() as own,  # nobody's own: what is saved or encoded there goes with it
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "VAE_MODELS_DIR": models, HOME_VARIABLE: own, CACHE_VARIABLE: own},
            stdout=subprocess.DEVNULL,
        ) as process,
    ):
        address = f"http://localhost:{port}{prefix and '/'}{prefix}"
        try:
            wait_until_healthy(f"{address}/_stcore/health")
            yield address
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_until_healthy(url: str) -> None:
    """Ask until the server answers; fail after a minute."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the server did not answer at {url} within {START_SECONDS} s")


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
