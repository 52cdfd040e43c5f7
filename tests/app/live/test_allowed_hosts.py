"""Who asks by another name than this server's own is refused, on every route; the remedy is named."""

import asyncio
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.types import Message, Scope

from app.live import allowed_hosts as module
from app.live.allowed_hosts import HOSTS_VARIABLE, AllowedHosts, allowed_hosts
from app.live.routes import live_routes
from vae_core.errors import ConfigError
from vae_core.store.opening import StoredModel

ROUTES = [
    ("GET", "/elsewhere"),
    ("GET", "/live/assets/0/nothing.js"),
    ("GET", "/live/plotly/0/plotly.min.js"),
    ("GET", "/live/models/tiny/0/map?projection=umap&x=0&y=1&colour=label"),
    ("GET", "/live/models/tiny/0/strip.png"),
    ("POST", "/live/models/tiny/ask/card"),
    ("GET", "/live/jobs/x"),
    ("POST", "/live/jobs/x/stop"),
    ("GET", "/live/jobs/x/result"),
]


@pytest.fixture
def client(tiny: StoredModel) -> Iterator[TestClient]:
    """A guarded server on this machine."""
    names = allowed_hosts(listens_at="localhost", shown_as="localhost", more="")
    routes = [*live_routes(""), Route("/elsewhere", lambda _: PlainTextResponse("here"))]
    app = Starlette(routes=routes, middleware=[Middleware(AllowedHosts, names=names)])
    with TestClient(app, base_url="http://localhost:8501") as client:
        yield client


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_another_name_is_refused_on_every_route(client: TestClient, method: str, path: str):
    answer = client.request(method, path, headers={"host": "evil.example:8501"})
    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("text/plain")
    assert "'evil.example:8501'" in answer.text
    assert HOSTS_VARIABLE in answer.text
    assert client.request(method, path).status_code != 403


def test_another_name_is_refused_before_a_socket_opens(client: TestClient):
    for headers in ({"host": "evil.example"}, {"host": "evil.example", "origin": "http://evil.example"}):
        with (
            pytest.raises(WebSocketDenialResponse) as refused,
            client.websocket_connect("/live/models/tiny/socket", headers=headers),
        ):
            pytest.fail("the socket was opened")
        assert refused.value.status_code == 403
        assert HOSTS_VARIABLE in refused.value.text


@pytest.mark.parametrize("host", ["localhost", "LocalHost:8501", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:8501"])
def test_this_machine_is_asked_by_its_names_with_and_without_port(client: TestClient, host: str):
    assert client.get("/elsewhere", headers={"host": host}).text == "here"


@pytest.mark.parametrize(
    "host",
    [
        *("", "localhost.evil.example", "evil.localhost", "localhost:x", "localhost@evil.example", "[::1", "::1"),
        *("[::1].evil.example", "127.0.0.1.evil.example", "127.0.0.2", "[::2]", "0.0.0.0", "x" * 5000),
    ],
)
def test_what_only_resembles_a_name_is_refused_with_a_short_text(client: TestClient, host: str):
    answer = client.get("/elsewhere", headers={"host": host})
    assert answer.status_code == 403
    assert len(answer.text) < 400


# -- names ---------------------------------------------------------------------------------------------------------

LOCAL = ["localhost", "127.0.0.1", "[::1]"]


def test_on_this_machine_alone_only_its_local_names_are_known(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module.socket, "gethostname", lambda: "desk.example.org")
    for address in ("localhost", "127.0.0.1", "::1"):
        assert allowed_hosts(listens_at=address, shown_as="localhost", more="") == LOCAL


def test_a_class_room_knows_the_machine_and_what_it_is_shown_as(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module.socket, "gethostname", lambda: "desk.example.org")
    machine = ["desk.example.org", "desk", "desk.local"]
    for address in (None, "0.0.0.0", "::"):
        assert allowed_hosts(listens_at=address, shown_as="localhost", more="") == LOCAL + machine
    names = allowed_hosts(listens_at="192.168.1.20", shown_as="Teacher", more=" vae.example.org ,fd00::7,")
    assert names == [*LOCAL, "teacher", "vae.example.org", "[fd00::7]", *machine, "192.168.1.20"]


@pytest.mark.parametrize("name", ["http://x.org", "x.org:80", "x org", "*x.org", "a*", "x/y"])
def test_what_is_no_name_is_said(name: str):
    with pytest.raises(ConfigError, match=f"got '.*'; set {HOSTS_VARIABLE}"):
        allowed_hosts(listens_at="localhost", shown_as="localhost", more=f"fine.org, {name}")


def passes(host: str, *, local_address: str | None = None, names: tuple[str, ...] = (), kind: str = "http") -> bool:
    """Whether what came in at an address of this machine reaches the app."""
    reached = False

    async def app(*_: object) -> None:
        nonlocal reached
        reached = True

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(_: Message) -> None:
        pass

    server = None if local_address is None else (local_address, 8501)
    scope: Scope = {"type": kind, "headers": [(b"host", host.encode())], "server": server}
    asyncio.run(AllowedHosts(app, names)(scope, receive, send))
    return reached


@pytest.mark.parametrize(
    ("host", "local_address", "expected"),
    [
        ("192.168.1.20:8501", "192.168.1.20", True),
        ("192.168.1.20", "::ffff:192.168.1.20", True),  # of a socket that takes IPv4 and IPv6
        ("[fd00::7]:8501", "fd00::7", True),
        ("[fd00:0::7]", "fd00::7", True),
        ("192.168.1.21", "192.168.1.20", False),
        ("192.168.1.20.evil.example", "192.168.1.20", False),
        ("192.168.1.20", None, False),
        ("1", "0.0.0.1", False),
        ("192.168.1.20", "/run/socket", False),
    ],
)
def test_an_address_passes_where_the_connection_came_in_at_it(host: str, local_address: str | None, expected: bool):
    assert passes(host, local_address=local_address) is expected


def test_all_names_below_one_may_be_allowed():
    assert passes("a.b.example.org:80", names=("*.example.org",))
    assert not passes("example.org.evil.example", names=("*.example.org",))
    assert passes("whatever", names=("*",))


def test_what_is_no_request_passes():
    assert passes("evil.example", kind="lifespan")
