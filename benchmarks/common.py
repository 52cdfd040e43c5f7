"""What the benchmarks share: a server of their own, a real browser, percentiles and tables."""

import os
import platform
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO

import numpy as np
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from vae_core.store.stored_models import list_models

ROOT = Path(__file__).resolve().parent.parent
APP = "app/server.py"
MEASURED_MODELS = ("mnist-2d", "mnist-16d", "faces")
HOST = "127.0.0.1"  # nothing leaves this machine
FIRST_PORT = 8621
LAST_PORT = 8629
HEALTH_SECONDS = 90.0  # until a starting server counts as broken
STOP_SECONDS = 10.0
PAGE_WORDS = 500  # letters of a page that did not paint, for the message
PAINT_SECONDS = 60.0  # until a page that paints nothing counts as broken
WATCH = (Path(__file__).parent / "watch.js").read_text(encoding="utf-8")
VIEWPORT: ViewportSize = {"width": 1400, "height": 900}  # pixels
# Software rendering, and none of the browser's own calls to other hosts.
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        address: Host and port.
        started: When its process was started, seconds since 1970.
        healthy: When it first said that it was well, seconds since 1970.
    """

    address: str
    started: float
    healthy: float

    @property
    def url(self) -> str:
        """What a browser opens, without the last slash."""
        return f"http://{self.address}"


@contextmanager
def running_server(page: str | Path = APP) -> Iterator[Server]:
    """`streamlit run PAGE` on a free port, stopped at the end."""
    address = f"{HOST}:{_free_port()}"
    with tempfile.TemporaryFile() as output:
        started = time.time()
        process = subprocess.Popen(
            _serve_command(page, address),
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},  # this copy of the project, whichever is installed
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until(lambda: _is_healthy(process, address), HEALTH_SECONDS, f"{page} to answer")
            yield Server(address, started, time.time())
        except Exception:
            _report(process, output)
            raise
        finally:
            _stop(process)


def _serve_command(page: str | Path, address: str) -> list[str]:
    host, port = address.split(":")
    options = ["--server.address", host, "--server.port", port, "--server.headless", "true"]
    return [sys.executable, "-m", "streamlit", "run", str(page), *options, "--browser.gatherUsageStats", "false"]


def _free_port() -> int:
    for port in range(FIRST_PORT, LAST_PORT + 1):
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) != 0:
                return port
    raise RuntimeError(f"all ports from {FIRST_PORT} to {LAST_PORT} are taken.")


def _is_healthy(process: subprocess.Popen[bytes], address: str) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"the server ended by itself with code {process.returncode}.")
    try:
        with urllib.request.urlopen(f"http://{address}/_stcore/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _report(process: subprocess.Popen[bytes], output: IO[bytes]) -> None:
    """Say how the server was when the benchmark broke."""
    code = process.poll()
    print("The server", "was running" if code is None else f"had ended with code {code}", file=sys.stderr)
    output.seek(0)
    lines = output.read().decode(errors="replace").splitlines()
    print("Its last words:", *lines[-15:], sep="\n  ", file=sys.stderr)


def wait_until(condition: Callable[[], bool], limit: float, what: str) -> None:
    """Ask every 20 ms until the condition holds; RuntimeError after `limit` seconds."""
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"waited {limit:.0f} s in vain for {what}.")
        time.sleep(0.02)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A real Chromium without a window; WebGL is drawn by the processor."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise RuntimeError("no chromium on the PATH; install it, for instance by `apt-get install chromium`.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def fresh_page(browser: Browser) -> Iterator[Page]:
    """A page with empty caches that keeps the times of what happens in it (see watch.js)."""
    context = browser.new_context(viewport=VIEWPORT)
    try:
        context.add_init_script(WATCH)
        yield context.new_page()
    finally:
        context.close()


def open_page(page: Page, url: str, condition: str) -> float:
    """Open an address; returns when the condition of watch.js was first painted, seconds since 1970."""
    page.goto(url, wait_until="commit")
    return when(page, condition)


def when(page: Page, condition: str) -> float:
    """When a condition (a JavaScript expression) is painted, seconds since 1970; it may be painted already."""
    limit = f"{PAINT_SECONDS * 1000:.0f}"
    try:
        painted: float = page.evaluate(f"() => watch.when(() => {condition}, {limit})")
    except PlaywrightError as error:
        seen = " / ".join(page.inner_text("body").split("\n"))[:PAGE_WORDS]
        raise RuntimeError(f"{error.message.splitlines()[0]} The page says: {seen}") from error
    return painted / 1000


def wanted_models(name: str | None) -> list[str]:
    """The model asked for, else the measured ones: the fewest dimensions, what a first visit shows, the largest."""
    stored = list_models()
    wanted = MEASURED_MODELS if name is None else (name,)
    if missing := [each for each in wanted if each not in stored]:
        raise RuntimeError(
            f"there is no model named {missing[0]!r}; the stored models are: {', '.join(stored) or 'none'}."
        )
    return list(wanted)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` per cent of the values lie; NaN for none."""
    return float(np.percentile(values, share)) if len(values) else float("nan")


def print_head(title: str) -> None:
    """What was run, and where."""
    module = Path(sys.argv[0]).stem
    print(f"\n## {title}\n")
    print(f"    {shlex.join(['python', '-m', f'benchmarks.{module}', *sys.argv[1:]])}\n")
    print(f"{machine()}\n", flush=True)


def machine() -> str:
    """The machine in one line; how busy it was before the run belongs to the figures."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "streamlit"))
    load = f"load before the run {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    return f"{cores()} cores, {_processor()}, Python {platform.python_version()}, {packages}; {load}"


def cores() -> int:
    """Processor cores of this machine."""
    return os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """An aligned table that is Markdown too: the first column to the left, the others to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(titles, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = cells
        padded = [first.ljust(widths[0])]
        padded += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        return f"| {' | '.join(padded)} |"

    print(line(titles))
    first, *others = widths
    print(f"|{'-' * (first + 2)}|{'|'.join('-' * (width + 1) + ':' for width in others)}|")
    for row in rows:
        print(line(row))


def print_verdict(target: str, *, met: bool) -> None:
    """Whether a target was met; a missed one is a result, not a failure."""
    print(f"\nTarget: {target} - target met: {'yes' if met else 'no'}")
