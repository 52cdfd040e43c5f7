"""The app as it is started: which names it answers to, on Streamlit's own routes and on ours."""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from app.live.allowed_hosts import HOSTS_VARIABLE
from tests.server import free_port, running_server

SECONDS = 30
ROUTES = [
    *("/", "/_stcore/health", "/_stcore/host-config", "/static/none.js", "/live/assets/0/none.js", "/live/jobs/x"),
    *("/live/models/mnist-2d/0/map?projection=axes&x=0&y=1&colour=label", "/live/plotly/0/plotly.min.js"),
]
SOCKETS = ["/_stcore/stream", "/live/models/mnist-2d/socket"]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """One below a prefix: what holds there holds at the root as well."""
    with running_server(free_port(), prefix="vae") as address:
        yield address


def status_of(server: str, route: str, host: str | None = None) -> tuple[int, str]:
    """Status and text of what a GET is answered."""
    headers = {} if host is None else {"Host": host}
    try:
        with urllib.request.urlopen(urllib.request.Request(server + route, headers=headers), timeout=SECONDS) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")


def test_another_name_is_refused_everywhere(server: str):
    for route in ROUTES:
        status, text = status_of(server, route, "evil.example")
        assert (status, HOSTS_VARIABLE in text) == (403, True), route
    for route in SOCKETS:
        address = server.replace("http", "ws", 1) + route
        with connect(address, open_timeout=SECONDS):
            pass
        at = urlsplit(address)
        with (
            socket.create_connection((at.hostname, at.port), SECONDS) as connection,
            pytest.raises(InvalidStatus) as refused,
            connect(address.replace("localhost", "evil.example"), sock=connection, open_timeout=SECONDS),
        ):
            pytest.fail(f"{route} was opened")
        assert refused.value.response.status_code == 403


def test_this_machine_is_asked_by_its_names(server: str):
    port = urlsplit(server).port
    for host in (f"localhost:{port}", "localhost", f"127.0.0.1:{port}", f"[::1]:{port}"):
        assert status_of(server, "/_stcore/health", host) == (200, "ok")
