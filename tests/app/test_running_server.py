"""The app as it is started: which names it answers to, what its sockets take, and how it ends."""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection, connect

from app.live.allowed_hosts import HOSTS_VARIABLE
from app.live.server_limits import END_SECONDS
from app.wire.limits import LIVE_QUESTION_BYTES
from tests.server import free_port, running_process, running_server, wait_until_healthy

SECONDS = 30
END = END_SECONDS + 10  # the body alone would have longer
ROUTES = [
    *("/", "/_stcore/health", "/_stcore/host-config", "/static/none.js", "/live/assets/0/none.js", "/live/jobs/x"),
    *("/live/models/mnist-2d/0/map?projection=axes&x=0&y=1&colour=label", "/live/plotly/0/plotly.min.js"),
]
STREAMLIT, LIVE = "/_stcore/stream", "/live/models/mnist-2d/socket"
SOCKETS = [STREAMLIT, LIVE]


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


def open_socket(server: str, route: str) -> ClientConnection:
    return connect(server.replace("http", "ws", 1) + route, open_timeout=SECONDS, max_size=None)


def close_of(socket: ClientConnection) -> int | None:
    """The code with which the server closes the socket, whatever it answers before."""
    with suppress(ConnectionClosed):
        while socket.recv(SECONDS) is not None:
            pass
    return socket.close_code


def test_the_live_socket_takes_no_more_than_the_longest_question(server: str):
    with open_socket(server, LIVE) as socket:
        socket.send(bytes(LIVE_QUESTION_BYTES + 1))
        assert close_of(socket) == 1009
    with open_socket(server, LIVE) as socket:
        socket.send(bytes(LIVE_QUESTION_BYTES))
        assert close_of(socket) == 1008, "it was read, and is no question of this model"
    with open_socket(server, STREAMLIT) as socket:
        socket.send(b"\xff" * 2 * LIVE_QUESTION_BYTES)
        assert close_of(socket) == 1002, "it was read, and is no message of Streamlit's"


def test_pings_without_end_close_a_socket(server: str):
    ping = Frame(Opcode.PING, b"").serialize(mask=True, extensions=[])
    for route in SOCKETS:
        with open_socket(server, route) as socket:
            socket.socket.sendall(10_000 * ping)
            assert close_of(socket) in (1008, 1006), "the rest of the pings may reset the connection first"
    assert status_of(server, "/_stcore/health") == (200, "ok")


HALF = (
    b"POST /live/models/mnist-2d/ask/card HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
)


@pytest.mark.slow
def test_half_a_body_does_not_keep_the_server_from_its_end():
    port = free_port()
    with running_process("app/server.py", ["--server.port", str(port)], {}) as process:
        wait_until_healthy(f"http://localhost:{port}/_stcore/health")
        with socket.create_connection(("localhost", port), SECONDS) as half, connect(f"ws://localhost:{port}{LIVE}"):
            half.sendall(HALF)
            process.terminate()
            process.wait(END)


def test_this_machine_is_asked_by_its_names(server: str):
    port = urlsplit(server).port
    for host in (f"localhost:{port}", "localhost", f"127.0.0.1:{port}", f"[::1]:{port}"):
        assert status_of(server, "/_stcore/health", host) == (200, "ok")
