"""A server of the tests' own, in a process of its own."""

import os
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

from vae_core.runtime.locations import CACHE_VARIABLE, HOME_VARIABLE

__all__ = ["free_port", "running_process", "running_server", "wait_until_healthy"]

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60
END_SECONDS = 20


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
    address = f"http://localhost:{port}{prefix and '/'}{prefix}"
    options = ["--server.port", str(port), "--server.baseUrlPath", prefix]
    with running_process(entry, options, {"VAE_MODELS_DIR": models}):
        wait_until_healthy(f"{address}/_stcore/health")
        yield address


@contextmanager
def running_process(entry: str, options: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run an entry with Streamlit's options and further environment variables; ended with the block."""
    command = [sys.executable, "-m", "streamlit", "run", entry, *options]
    with (
        tempfile.TemporaryDirectory() as home,  # nobody's own: what is saved or encoded there goes with it
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment, HOME_VARIABLE: home, CACHE_VARIABLE: home},
            stdout=subprocess.DEVNULL,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=END_SECONDS)


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
