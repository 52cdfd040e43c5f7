"""A wheel in an empty environment: one command starts the app, with the shipped models, for this machine only."""

import os
import socket
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import browser, chromium  # noqa: F401 - fixtures
from tests.browser.touch import open_page
from tests.server import free_port, wait_until_healthy
from vae_core.store.presets import PRESETS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

ROOT = Path(__file__).resolve().parents[1]
END_SECONDS = 20
SCRIPTS = "Scripts" if os.name == "nt" else "bin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of an environment into which the built wheel was installed, and nothing else."""
    built, environment = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("environment")
    copy = tmp_path_factory.mktemp("sources") / "project"  # a build leaves files beside the sources
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    pip = ["-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([sys.executable, *pip, "wheel", "--no-deps", "--wheel-dir", str(built), str(copy)], check=True)
    venv.create(environment, with_pip=True)
    [wheel] = built.glob("*.whl")
    # The exact versions that the project is tested with, but not the project itself in place of its wheel.
    pins = [line for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines() if not line.startswith("-e")]
    (built / "pins.txt").write_text("\n".join(pins), encoding="utf-8")
    commands = environment / SCRIPTS
    subprocess.run(
        [str(commands / "python"), *pip, "install", str(wheel), "--constraint", str(built / "pins.txt")], check=True
    )
    return commands


@pytest.fixture(scope="module")
def address(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the app answers that the wheel's command started, in a folder that has nothing to do with the project."""
    home, port = tmp_path_factory.mktemp("home"), free_port()
    own = {"HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "XDG_CACHE_HOME": str(home / "cache")}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("VAE_", "PYTHONPATH"))}
    with subprocess.Popen(
        [str(installed / "vae-explorer"), "--port", str(port)], cwd=home, env={**environment, **own}
    ) as server:
        try:
            wait_until_healthy(f"http://localhost:{port}/_stcore/health")
            yield f"http://localhost:{port}"
        finally:
            server.terminate()
            server.wait(timeout=END_SECONDS)


def test_the_wheel_has_the_shipped_models(installed: Path, tmp_path: Path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("VAE_", "PYTHONPATH"))}
    shown = subprocess.run(
        [str(installed / "python"), "-m", "vae_core", "models"],
        cwd=tmp_path,
        env={**environment, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert {line.split()[0] for line in shown.splitlines()[1:]} == set(PRESETS)


def test_the_help_says_how_to_choose_host_and_port(installed: Path):
    shown = subprocess.run(
        [str(installed / "vae-explorer"), "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert "--host" in shown
    assert "--port" in shown


def test_the_app_of_the_wheel_listens_on_this_machine_only(address: str):
    port = int(address.rpartition(":")[2])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing: it only tells which address this machine would use
        outside = probe.getsockname()[0]
    if outside.startswith("127."):
        pytest.skip("this machine has no address but its own loop")
    with pytest.raises(OSError), socket.create_connection((outside, port), timeout=5):  # noqa: PT011 - refused or no way
        pass


def test_the_app_of_the_wheel_shows_the_map_with_the_settings_of_the_project(
    address: str,
    browser: Browser,  # noqa: F811 - the fixture
):
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(60_000)
    open_page(page, address)
    expect(page.get_by_text("Deploy")).to_have_count(0)  # toolbarMode = "minimal"
    page.close()
