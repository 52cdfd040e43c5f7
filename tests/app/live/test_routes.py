"""The routes beside Streamlit's own, in a plain Starlette app: the socket, our modules, plotly.js and maps."""

import asyncio
import base64
import re
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import plotly
import plotly.graph_objects as go
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from app.live import routes
from app.live import socket as live_socket
from app.live.asset_files import ASSETS, Assets, code_version, page_assets, strip_version
from app.live.guards import is_same_origin
from app.live.map_charts import maps_version
from app.live.routes import live_routes
from app.live.socket import LIVE_THREADS
from app.services.catalogue import find_entry
from app.services.examples import decoded_strip
from app.wire.protocol import Kind, ProjectionKind, Question
from tests.app.conftest import Store, sentence_of
from tests.conftest import REFERENCES
from vae_core.errors import BusyError
from vae_core.store.opening import StoredModel
from vae_core.store.stored_models import WEIGHTS_FILE

SOCKET = "/live/models/tiny/socket"
REFUSED, TRY_LATER = 1008, 1013
FOR_EVER = "public, max-age=31536000, immutable"
MODULES = sorted(path.relative_to(ASSETS).as_posix() for path in ASSETS.rglob("*.js"))
SHEETS = sorted(path.relative_to(ASSETS).as_posix() for path in ASSETS.rglob("*.css"))
DECODE = struct.pack("<BBBBI3f", 1, 0, 0, 1, 7, 0.1, 0.2, 0.3)
PATH = b"\x03" + DECODE[1:]


@pytest.fixture
def client(tiny: StoredModel) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=live_routes(""))) as client:
        yield client


def fall(*_: object) -> None:
    """What nobody foresaw."""
    raise KeyError("a secret")


def assert_told_by_number(text: str, caplog: pytest.LogCaptureFixture) -> None:
    """The person reads a number alone; the log has the traceback under it, once."""
    found = re.search(r"something went wrong inside \(([0-9a-f]{6})\)", text)
    assert found
    assert "secret" not in text
    [record] = [each for each in caplog.records if each.name.startswith(("app", "vae_core"))]
    assert found[1] in record.getMessage()
    assert "in fall" in caplog.text


def closing_of(socket: WebSocketTestSession) -> WebSocketDisconnect:
    """How the server closes the socket instead of answering."""
    with pytest.raises(WebSocketDisconnect) as closing:
        socket.receive_bytes()
    return closing.value


# -- socket --------------------------------------------------------------------------------------------------------


def test_the_socket_answers_one_question_after_the_other(client: TestClient):
    with client.websocket_connect(SOCKET) as socket:
        for number in (7, 8, 2**32 - 1):
            socket.send_bytes(DECODE[:4] + struct.pack("<I", number) + DECODE[8:])
            answer = socket.receive_bytes()
            assert struct.unpack_from("<II", answer) == (number, 1)
            assert len(answer) == 8 + 4 * (2 + 3) + 8 * 8


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "got 0 bytes"),
        (DECODE[:-4], "DECODE takes 3 values for this model, got 2"),
        (b"\x09" + DECODE[1:], "kind must be 1 to 4"),
        (DECODE[:-4] + struct.pack("<f", float("nan")), "values must be finite, got nan"),
    ],
)
def test_a_wrong_question_closes_the_socket_with_a_reason(client: TestClient, message: bytes, reason: str):
    with client.websocket_connect(SOCKET) as socket:
        socket.send_bytes(message)
        closing = closing_of(socket)
    assert closing.code == REFUSED
    assert closing.reason.startswith("input ")
    assert reason in closing.reason


def test_text_is_refused(client: TestClient):
    with client.websocket_connect(SOCKET) as socket:
        socket.send_text("hello")
        closing = closing_of(socket)
    assert closing.code == REFUSED
    assert "binary message, got text" in closing.reason


@pytest.mark.parametrize("name", ["nobody", "TINY", "..%5ctiny", "\u00e9" * 200])
def test_an_unknown_model_is_refused_with_a_reason_that_fits_a_close_frame(client: TestClient, name: str):
    with client.websocket_connect(f"/live/models/{name}/socket") as socket:
        closing = closing_of(socket)
    assert closing.code == REFUSED
    assert closing.reason.startswith("model ")
    assert len(closing.reason.encode()) <= 123


def test_a_map_that_the_model_lacks_is_refused(client: TestClient, store: Store):
    store("bare", with_reference=False)
    with client.websocket_connect("/live/models/bare/socket") as socket:
        socket.send_bytes(DECODE)
        closing = closing_of(socket)
    assert closing.code == REFUSED
    assert closing.reason.startswith("model bare has no reference set")


def test_a_busy_server_asks_to_try_later(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    def busy(*_: object) -> bytes:
        raise BusyError("the server is busy; try again shortly.")

    monkeypatch.setattr(live_socket, "answer", busy)
    with client.websocket_connect(SOCKET) as socket:
        socket.send_bytes(DECODE)
        closing = closing_of(socket)
    assert closing.code == TRY_LATER
    assert closing.reason.startswith("busy the server is busy")


def test_a_refit_that_is_gone_has_a_code_of_its_own(client: TestClient, tiny: StoredModel):
    with client.websocket_connect(SOCKET) as socket:
        socket.send_bytes(DECODE[:1] + bytes([ProjectionKind.REFIT, 0, 0]) + DECODE[4:])
        closing = closing_of(socket)
    assert closing.code == REFUSED
    assert closing.reason == "gone map 0 of tiny is gone; fit it again"
    answer = client.post("/live/models/tiny/ask/density", json={"projection": "umap", "x": 0, "y": 1, "refit": 0})
    assert sentence_of(answer, "gone") == "map 0 of tiny is gone; fit it again"


def test_what_nobody_foresaw_closes_the_socket_with_a_number(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(live_socket, "answer", fall)
    with client.websocket_connect(SOCKET) as socket:
        socket.send_bytes(DECODE)
        closing = closing_of(socket)
    assert closing.code == REFUSED, "the page does not ask the same again"
    assert closing.reason.startswith("internal something")
    assert_told_by_number(closing.reason, caplog)


def test_a_live_question_waits_for_no_path(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    done = threading.Event()

    def answer(_engine: object, _model: str, question: Question) -> bytes:
        if question.kind == Kind.PATH:
            assert done.wait(30)
        return question.kind.name.encode()

    monkeypatch.setattr(live_socket, "answer", answer)
    with ExitStack() as opened:
        paths = [opened.enter_context(client.websocket_connect(SOCKET)) for _ in range(LIVE_THREADS)]
        for socket in paths:
            socket.send_bytes(PATH)
        live = opened.enter_context(client.websocket_connect(SOCKET))
        opened.callback(done.set)
        live.send_bytes(DECODE)
        came: list[bytes] = []
        waiting = threading.Thread(target=lambda: came.append(live.receive_bytes()), daemon=True)
        waiting.start()
        waiting.join(10)
        assert came == [b"DECODE"]
        done.set()
        assert [socket.receive_bytes() for socket in paths] == [b"PATH"] * LIVE_THREADS


@pytest.mark.parametrize("origin", [None, "http://testserver", "https://TestServer"])
def test_our_own_page_and_programs_without_origin_are_let_in(client: TestClient, origin: str | None):
    headers = {} if origin is None else {"origin": origin}
    with client.websocket_connect(SOCKET, headers=headers) as socket:
        socket.send_bytes(DECODE)
        assert socket.receive_bytes()


@pytest.mark.parametrize(
    "origin",
    ["http://testserver:9999", "http://other.example", "http://testserver.other.example", "null", "", "http://[::1"],
)
def test_other_origins_are_refused_before_accepting(client: TestClient, origin: str):
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(SOCKET, headers={"origin": origin}):
        pytest.fail("the socket was opened")


def test_ports_are_compared_and_a_missing_host_lets_no_page_in():
    assert is_same_origin("http://localhost:8501", "localhost:8501")
    assert not is_same_origin("http://localhost:9999", "localhost:8501")
    assert not is_same_origin("http://localhost", "localhost:8501")
    assert not is_same_origin("http://localhost", None)
    assert is_same_origin(None, None)


@pytest.mark.parametrize(("prefix", "root"), [("vae", "/vae"), ("/vae/", "/vae"), ("/a/b", "/a/b"), ("/", "")])
def test_everything_lies_below_the_servers_prefix(tiny: StoredModel, prefix: str, root: str):
    with TestClient(Starlette(routes=live_routes(prefix))) as client:
        for address in (
            asset_address(MODULES[0]),
            f"/live/plotly/{plotly.__version__}/plotly.min.js",
            map_address(tiny),
        ):
            assert client.get(root + address).status_code == 200
            assert client.get(f"/other{address}").status_code == 404
        with client.websocket_connect(root + SOCKET) as socket:
            socket.send_bytes(DECODE)
            assert socket.receive_bytes()


# -- files ---------------------------------------------------------------------------------------------------------


def asset_address(name: str) -> str:
    return f"/live/assets/{page_assets().version()}/{name}"


@pytest.mark.parametrize("name", [*MODULES, *SHEETS])
def test_each_asset_is_served_as_it_is_and_for_ever(client: TestClient, name: str):
    answer = client.get(asset_address(name))
    assert answer.status_code == 200
    assert answer.content == (ASSETS / name).read_bytes()
    assert answer.headers["content-type"].split(";")[0] == ("text/css" if name.endswith("css") else "text/javascript")
    assert answer.headers["cache-control"] == FOR_EVER


@pytest.mark.parametrize(
    "name",
    [
        "nothing.js",
        "",
        ".",
        "..%2fprotocol.py",
        "..%2F..%2Fmain.py",
        "%2e%2e%2froutes.py",
        "..%5croutes.py",
        "%2fetc%2fpasswd",
        "explore/sliders.js%00",
        "explore/..%2Fexplore/sliders.js",
        "explore",
        "explore/",
        "/explore/sliders.js",
        "sliders.js",
        "../protocol.py",
        "explore/SLIDERS.JS",
    ],
)
def test_other_files_are_not_found(client: TestClient, name: str):
    assert client.get(asset_address(name)).status_code == 404


def test_plotly_js_comes_from_the_installed_package(client: TestClient):
    answer = client.get(f"/live/plotly/{plotly.__version__}/plotly.min.js")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == FOR_EVER
    assert "plotly.js v" in answer.text[:200]


@pytest.fixture
def edited(tmp_path: Path) -> Assets:
    """Two modules of a person who works on them."""
    for name in ("ui/dom.js", "map/marks.js"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("export {};\n")
    (tmp_path / "README.md").write_text("no asset")
    return Assets(tmp_path)


def test_a_module_that_is_edited_under_a_running_server_gets_another_address(edited: Assets, tmp_path: Path):
    first = edited.version()
    assert edited.version() == first
    (tmp_path / "ui" / "dom.js").write_text("export const a = 1;\n")
    second = edited.version()
    assert second != first
    (tmp_path / "ui" / "new.js").write_text("export {};\n")
    assert edited.path("ui/new.js") == tmp_path / "ui" / "new.js"
    assert len({first, second, edited.version()}) == 3


def test_what_was_edited_since_its_address_was_told_is_not_kept_under_it(edited: Assets, tmp_path: Path):
    version = edited.version()
    (tmp_path / "ui" / "dom.js").write_text("export const a = 1;\n")
    assert not edited.is_of_version("ui/dom.js", version)
    assert edited.is_of_version("map/marks.js", version), "its content is what the address says"
    assert not edited.is_of_version("map/marks.js", "another")
    assert not edited.is_of_version("ui/nothing.js", version)


def test_a_page_from_before_an_update_gets_its_modules_unkept(client: TestClient):
    page_assets().version()
    answer = client.get(f"/live/assets/0123456789ab/{MODULES[0]}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


def test_addresses_of_maps_and_strips_change_with_any_of_our_code(tmp_path: Path):
    versions = [code_version(tmp_path)]
    for name in ("app/wire/packing.py", "app/queries/deep.py", "vae_core/projection/projections.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"# {name}")
        versions.append(code_version(tmp_path))
    assert len({*versions}) == len(versions)


# -- maps ----------------------------------------------------------------------------------------------------------


def map_address(loaded: StoredModel, **query: str) -> str:
    asked = {"projection": "umap", "x": "0", "y": "1", "colour": "label", **query}
    return f"/live/models/{loaded.name}/{maps_version(loaded)}/map?" + "&".join(f"{k}={v}" for k, v in asked.items())


def coordinates(trace: go.Scattergl, axis: str) -> np.ndarray:
    """A trace's coordinates; plotly writes arrays as base64."""
    packed = trace[axis]
    return np.frombuffer(base64.b64decode(packed["bdata"]), packed["dtype"])


@pytest.mark.parametrize("projection", ["umap", "pca", "axes"])
@pytest.mark.parametrize("colour", ["label", "2"])
def test_a_map_is_a_figure_with_a_point_for_each_reference(
    client: TestClient, tiny: StoredModel, projection: str, colour: str
):
    answer = client.get(map_address(tiny, projection=projection, colour=colour))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == FOR_EVER
    figure = go.Figure(answer.json(), skip_invalid=False)
    points = np.concatenate([np.stack([coordinates(t, "x"), coordinates(t, "y")], axis=1) for t in figure.data])
    reference = tiny.need_reference()
    expected = {
        "umap": reference.umap_places,
        "pca": (reference.means - reference.pca_mean) @ reference.pca_components.T,
        "axes": reference.means[:, [0, 1]],
    }[projection]
    assert points.shape == (REFERENCES, 2)
    if colour == "label":  # one class after the other
        assert [trace.name for trace in figure.data] == ["even", "odd"]
        expected = np.concatenate([expected[reference.labels == label] for label in (0, 1)])
    np.testing.assert_allclose(points, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"projection": "tsne"}, "projection must be one of umap, pca, axes, got 'tsne'"),
        ({"projection": "refit"}, "projection must be one of umap, pca, axes, got 'refit'"),
        ({"x": "one"}, "one"),
        ({"x": "3"}, "dimensions 0 to 2"),
        ({"y": "-1"}, "dimensions 0 to 2"),
        ({"colour": "red"}, "'label' or a dimension from 0 to 2, got 'red'"),
        ({"colour": "3"}, "'label' or a dimension from 0 to 2, got '3'"),
        ({"colour": "-1"}, "'label' or a dimension from 0 to 2"),
        ({"colour": "9" * 5000}, "'label' or a dimension from 0 to 2"),
        ({"x": "9" * 5000}, "missing or wrong"),
    ],
)
def test_a_wrong_query_gets_a_sentence(client: TestClient, tiny: StoredModel, query: dict[str, str], text: str):
    answer = client.get(map_address(tiny, **query))
    assert answer.status_code == 400
    assert text in sentence_of(answer, "input")


def test_a_query_without_a_part_gets_a_sentence_that_names_it(client: TestClient, tiny: StoredModel):
    answer = client.get(f"/live/models/tiny/{tiny.digest}/map?projection=umap&x=0&y=1")
    assert answer.status_code == 400
    assert "'colour' is missing" in sentence_of(answer, "input")


def test_an_unknown_model_and_one_without_a_map_get_a_sentence(client: TestClient, store: Store):
    answer = client.get("/live/models/nobody/0/map?projection=umap&x=0&y=1&colour=label")
    assert answer.status_code == 400
    assert "no model named 'nobody'" in sentence_of(answer, "model")
    answer = client.get(map_address(store("bare", with_reference=False)))
    assert answer.status_code == 400
    assert "bare has no reference set" in sentence_of(answer, "model")


def test_a_models_map_changes_with_its_files(client: TestClient, tiny: StoredModel, store: Store):
    before = client.get(map_address(tiny)).content
    other = store("tiny")  # replaces it
    assert other.digest != tiny.digest
    assert client.get(map_address(other)).content != before


def test_axes_and_colour_bars_say_the_names_of_dimensions_without_letting_in_tags(client: TestClient, store: Store):
    loaded = store("named", names=("scale", "", "<a href='x'>y</a>"))
    answer = client.get(map_address(loaded, projection="axes", x="0", y="1", colour="2"))
    figure = go.Figure(answer.json())
    assert figure.layout.xaxis.title.text == "Dimension 1 · scale"
    assert figure.layout.yaxis.title.text == "Dimension 2"
    assert figure.data[0].marker.colorbar.title.text == "Dimension 3 · &lt;a href='x'&gt;y&lt;/a&gt;"


def assert_besides_live_answers() -> None:
    """What takes longer holds up neither the event loop nor a thread that live questions wait for."""
    assert not threading.current_thread().name.startswith("vae-")
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


def test_maps_and_strips_hold_up_no_live_question(
    client: TestClient, tiny: StoredModel, monkeypatch: pytest.MonkeyPatch
):
    asked = []

    def noting(loaded: StoredModel) -> bytes:
        assert_besides_live_answers()
        asked.append(loaded.name)
        return decoded_strip(loaded)

    def version(loaded: StoredModel) -> str:
        assert_besides_live_answers()
        asked.append(loaded.name)
        return maps_version(loaded)

    monkeypatch.setattr(routes, "decoded_strip", noting)
    monkeypatch.setattr(routes, "maps_version", version)
    assert client.get(map_address(tiny)).status_code == 200
    assert client.get(strip_address("tiny")).status_code == 200
    assert asked == ["tiny", "tiny"]


@pytest.mark.parametrize("part", ["map", "strip"])
def test_a_map_or_strip_that_fails_is_answered_with_a_number(
    client: TestClient,
    tiny: StoredModel,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    part: str,
):
    address = map_address(tiny) if part == "map" else strip_address("tiny")
    monkeypatch.setattr(routes, {"map": "map_json", "strip": "decoded_strip"}[part], fall)
    answer = client.get(address)
    assert answer.status_code == 500
    assert_told_by_number(sentence_of(answer, "internal"), caplog)


# -- strips --------------------------------------------------------------------------------------------------------


def strip_address(name: str) -> str:
    return f"/live/models/{name}/{strip_version(find_entry(name))}/strip.png"


def test_a_strip_is_a_png_that_is_kept_for_ever_under_its_present_address(client: TestClient, tiny: StoredModel):
    answer = client.get(strip_address("tiny"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == FOR_EVER
    assert answer.content == decoded_strip(tiny)
    old = client.get("/live/models/tiny/0/strip.png")
    assert old.content == answer.content
    assert old.headers["cache-control"] == "no-store"


def test_a_strips_address_changes_with_the_models_files(client: TestClient, tiny: StoredModel, store: Store):
    before = strip_address("tiny")
    store("tiny", latent_dim=2)  # replaces it
    assert strip_address("tiny") != before


def test_a_strip_that_cannot_be_had_is_a_sentence(client: TestClient, store: Store, models_dir: Path):
    store("bare", with_reference=False)
    store("broken")
    (models_dir / "broken" / WEIGHTS_FILE).write_bytes(b"no weights")
    for name, text in (("bare", "evaluate bare"), ("broken", WEIGHTS_FILE), ("nobody", "no model named")):
        answer = client.get(f"/live/models/{name}/0/strip.png")
        assert answer.status_code == 400
        assert text in sentence_of(answer, "model")
