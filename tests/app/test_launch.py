"""The command that starts the app: which words it gives to Streamlit, and what it says of itself."""

import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from app import launch
from app.launch import EVERYWHERE, streamlit_arguments

APP = Path(launch.__file__).parent


def option(words: list[str], name: str) -> str | None:
    return words[words.index(name) + 1] if name in words else None


def test_by_default_this_machine_alone_is_served():
    words = streamlit_arguments([])
    assert words[:2] == ["run", str(APP / "server.py")]
    assert option(words, "--server.address") == "localhost"
    assert option(words, "--server.port") == "8501"
    assert option(words, "--browser.serverAddress") is None


@pytest.mark.parametrize("host", EVERYWHERE)
def test_a_class_room_is_told_this_machines_name_or_the_one_that_is_given(host: str):
    assert option(streamlit_arguments(["--host", host]), "--browser.serverAddress") == socket.gethostname()
    words = streamlit_arguments(["--host", host, "--name", "192.168.1.20", "--port", "9000"])
    assert option(words, "--browser.serverAddress") == "192.168.1.20"
    assert option(words, "--server.address") == host
    assert option(words, "--server.port") == "9000"


def test_what_follows_two_dashes_goes_to_streamlit():
    assert streamlit_arguments(["--port", "9000", "--", "--server.runOnSave", "true"])[-2:] == [
        "--server.runOnSave",
        "true",
    ]


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http"])
def test_a_port_that_there_is_not_is_refused_in_one_line(port: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        streamlit_arguments(["--port", port])
    assert ended.value.code == 2
    assert "1 to 65535" in capsys.readouterr().err


def test_the_help_says_how_to_choose_host_and_port():
    shown = subprocess.run(
        [sys.executable, "-c", "from app.launch import main; main(['--help'])"],
        cwd=APP.parent,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "--host" in shown
    assert "--port" in shown
    assert "this machine only" in shown


def test_the_settings_beside_the_entry_keep_the_app_on_this_machine_and_errors_inside():
    settings = tomllib.loads((APP / ".streamlit" / "config.toml").read_text("utf-8"))
    assert settings["server"]["address"] == "localhost"
    assert settings["client"]["showErrorDetails"] == "none"
    assert settings["browser"]["gatherUsageStats"] is False
