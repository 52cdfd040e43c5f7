"""The live channel from outside: who is let in, what is refused, what mends itself."""

import re
import struct

import pytest
from playwright.sync_api import Browser, Page, expect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.browser.touch import decoded, drag, first_slider, open_page, pixels, values, wait_for_map, wait_until_changed
from tests.server import free_port, running_server

POLICY = 1008
DECODE, PEEK, PATH = 1, 2, 3


def socket_address(server: str, model: str = "mnist-16d") -> str:
    return f"{server.replace('http', 'ws')}/live/models/{model}/socket"


def question(kind: int, values: list[float], *, number: int = 7, projection: int = 0, x: int = 0, y: int = 1) -> bytes:
    return struct.pack(f"<BBBBI{len(values)}f", kind, projection, x, y, number, *values)


def test_an_answer_brings_number_place_code_and_pixels(server: str):
    z = [0.25] * 16
    with connect(socket_address(server)) as socket:
        socket.send(question(DECODE, z, number=123))
        answer = socket.recv()
    number, count, *floats = struct.unpack_from("<II18f", answer)
    assert (number, count) == (123, 1)
    assert floats[2:] == z
    assert len(answer) == 8 + 18 * 4 + 28 * 28


def test_pages_of_another_origin_get_403(server: str):
    for origin in ("http://localhost:9999", "https://example.org", "null"):
        with pytest.raises(InvalidStatus) as refusal, connect(socket_address(server), origin=origin):
            pass
        assert refusal.value.response.status_code == 403


def test_a_real_page_of_another_origin_gets_no_answer(browser: Browser, server: str):
    page = browser.new_page()
    page.route(
        "http://other.example/", lambda route: route.fulfill(body="<p>another site</p>", content_type="text/html")
    )
    page.goto("http://other.example/")
    outcome = page.evaluate(
        """(url) => new Promise((resolve) => {
          const socket = new WebSocket(url);
          socket.onopen = () => resolve("open");
          socket.onclose = () => resolve("closed");
        })""",
        socket_address(server),
    )
    page.close()
    assert outcome == "closed"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "8 bytes"),
        (b"12345", "8 bytes"),
        (question(DECODE, [0.0] * 15), "16 values"),
        (question(DECODE, [0.0] * 17), "16 values"),
        (question(9, [0.0] * 16), "kind"),
        (question(DECODE, [0.0] * 16, projection=5), "projection"),
        (question(DECODE, [0.0] * 16, projection=2, x=99), "dimensions 0 to 15"),
        (question(DECODE, [float("nan")] + [0.0] * 15), "finite"),
        (question(PEEK, [0.0] * 16), "18 values"),
        (question(PEEK, [float("inf")] + [0.0] * 17), "finite"),
        (question(PATH, []), "1 to 256"),
        (question(PATH, [0.0] * 16 * 257), "1 to 256"),
        ("text", "binary"),
    ],
)
def test_a_wrong_message_closes_the_socket_with_a_reason(server: str, message: bytes | str, reason: str):
    with connect(socket_address(server)) as socket:
        socket.send(message)
        with pytest.raises(ConnectionClosed) as closing:
            socket.recv()
    assert closing.value.rcvd.code == POLICY
    assert reason in closing.value.rcvd.reason


def test_an_unknown_model_closes_the_socket_with_a_reason(server: str):
    with connect(socket_address(server, "nobody")) as socket, pytest.raises(ConnectionClosed) as closing:
        socket.recv()
    assert closing.value.rcvd.code == POLICY
    assert "nobody" in closing.value.rcvd.reason


def test_the_page_does_not_repeat_a_refused_question(page: Page, server: str):
    sent: list[bytes] = []
    page.on(
        "websocket",
        lambda socket: socket.on("framesent", lambda data: sent.append(data)) if "/live/" in socket.url else None,
    )
    open_page(page, server)
    page.locator(".explore").evaluate(
        "(node) => { const b = node.getRootNode().part; b.live.ask('x', 9, b.view, b.z, () => {}); }"
    )
    expect(page.get_by_text("The server refused")).to_be_visible()
    before = pixels(decoded(page))
    page.wait_for_timeout(1500)
    drag(page, first_slider(page), 0.3, 0.7, moves=10)
    page.mouse.up()
    wait_until_changed(page, decoded(page), before)
    assert sum(data[0] == 9 for data in sent if isinstance(data, bytes)) == 1


def test_a_restart_of_the_server_mends_itself(page: Page):
    port = free_port()
    with running_server(port) as address:
        open_page(page, address)
    expect(page.get_by_text("out of reach")).to_be_visible()
    before = pixels(decoded(page))
    drag(page, first_slider(page), 0.3, 0.8, moves=10)  # asked while nobody is there
    page.mouse.up()
    page.get_by_role("combobox", name="Map", exact=True).select_option("pca")
    page.locator(".explore").evaluate("(node) => node.getRootNode().part.lock(0, true)")
    with running_server(port):
        wait_until_changed(page, decoded(page), before)
        expect(page.get_by_text("out of reach")).to_be_hidden()
        page.locator('[data-painted*="pca"]').wait_for()
        expect(page.get_by_text("The server was restarted")).to_be_visible(timeout=20_000)
        page.wait_for_timeout(500)  # a person reads that; by then the page has reminded Python
        page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
        asked = values(page)
        page.get_by_role("link", name="Interpolate").click()
        page.get_by_text("Interpolate between keyframes").wait_for()
        wait_for_map(page)
        page.get_by_role("link", name="Explore").click()
        page.get_by_text("Explore the latent space").wait_for()
        wait_for_map(page)
        assert values(page) == pytest.approx(asked, abs=0.011)
        assert page.get_by_role("combobox", name="Map", exact=True).input_value() == "pca"
        assert page.locator(".explore").evaluate("(node) => node.getRootNode().part.store.state.locked") == [0]


def test_started_the_wrong_way_the_page_says_what_to_run(page: Page):
    with running_server(free_port(), "app/main.py") as address:
        page.goto(address)
        expect(page.get_by_text("streamlit run app/server.py").first).to_be_visible()


def test_it_works_below_a_prefix(page: Page):
    with running_server(free_port(), prefix="vae") as address:
        open_page(page, address)
        before = pixels(decoded(page))
        page.get_by_role("button", name="Zero").click()
        wait_until_changed(page, decoded(page), before)


def test_a_page_says_who_asks(page: Page, server: str):
    with page.expect_request(lambda request: "/ask/" in request.url) as asked:
        open_page(page, server)
        page.get_by_role("tab", name="Neighbours").click()
    assert re.fullmatch("[0-9a-f]{16}", asked.value.headers["x-visitor"])
