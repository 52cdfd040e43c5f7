"""What a page asks is answered by the model that it shows: one that was trained or evaluated anew refuses."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from app.live.map_charts import maps_version
from app.live.routes import live_routes
from app.live.shown_models import ShownModel
from tests.app.conftest import Store
from vae_core.errors import ChangedError, ModelError
from vae_core.inference.engine import Engine, engine
from vae_core.reference.reference_set import Reference
from vae_core.store.opening import StoredModel
from vae_core.store.stored_models import REFERENCE_FILE

DECODE = struct.pack("<BBBBI3f", 1, 0, 0, 1, 7, 0.1, 0.2, 0.3)
REFUSED = 1008

Change = Callable[[], StoredModel]


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(Starlette(routes=live_routes(""))) as client:
        yield client


@pytest.fixture(params=["trained", "evaluated"])
def anew(request: pytest.FixtureRequest, tiny: StoredModel, tiny_reference: Reference, store: Store) -> Change:
    """Train or evaluate the tiny model anew, and give it."""

    def change() -> StoredModel:
        if request.param == "trained":
            return store("tiny")
        replace(tiny_reference, umap_places=tiny_reference.umap_places + 1).save(tiny.folder / REFERENCE_FILE)
        return engine().load("tiny")

    return change


def address(loaded: StoredModel, path: str) -> str:
    """As model_address.js writes it."""
    return f"/live/models/{loaded.name}/{path}?digest={loaded.digest}&reference={loaded.reference_digest}"


def test_the_model_that_a_page_shows_is_given(tiny: StoredModel):
    for shown in (ShownModel("tiny"), ShownModel.of(tiny), ShownModel("tiny", tiny.digest)):
        assert shown.load(engine()) is tiny


def test_one_that_was_trained_or_evaluated_anew_is_not(tiny: StoredModel, anew: Change):
    shown, loaded = ShownModel.of(tiny), anew()
    how = "trained" if loaded.digest != tiny.digest else "evaluated"
    with pytest.raises(ChangedError, match=f"tiny was {how} anew"):
        shown.load(engine())
    assert ShownModel("tiny").load(engine()) is loaded, "a page that does not say takes what there is"


def test_an_unknown_model_is_none_that_changed(models_dir: object):
    with pytest.raises(ModelError, match="nobody"):
        ShownModel("nobody", "0" * 32).load(engine())


def test_it_is_read_from_an_address():
    shown = ShownModel.of_request({"model": "tiny"}, {"digest": "d", "reference": "r", "more": "x"})
    assert shown == ShownModel("tiny", "d", "r")
    assert ShownModel.of_request({"model": "tiny"}, {}) == ShownModel("tiny")


@pytest.mark.parametrize("says", [True, False], ids=["that says what it shows", "that does not say"])
def test_the_socket_of_a_page_answers_for_no_other_model(
    client: TestClient, tiny: StoredModel, anew: Change, says: bool
):
    path = address(tiny, "socket") if says else "/live/models/tiny/socket"
    with client.websocket_connect(path) as socket:
        socket.send_bytes(DECODE)
        socket.receive_bytes()
        anew()
        socket.send_bytes(DECODE)
        with pytest.raises(WebSocketDisconnect) as closing:
            socket.receive_bytes()
    assert closing.value.code == REFUSED
    assert closing.value.reason.startswith("changed tiny was ")


def test_a_page_of_before_opens_no_socket(client: TestClient, tiny: StoredModel, anew: Change):
    loaded = anew()
    with client.websocket_connect(address(tiny, "socket")) as socket, pytest.raises(WebSocketDisconnect) as closing:
        socket.receive_bytes()
    assert closing.value.reason.startswith("changed ")
    with client.websocket_connect(address(loaded, "socket")) as socket:
        socket.send_bytes(DECODE)
        assert socket.receive_bytes()


def test_a_question_of_before_gets_a_sentence(client: TestClient, tiny: StoredModel, anew: Change):
    assert client.post(address(tiny, "ask/code"), json={"index": 1}).status_code == 200
    loaded = anew()
    refused = client.post(address(tiny, "ask/code"), json={"index": 1})
    assert refused.status_code == 400
    assert refused.json()["code"] == "changed"
    assert client.post(address(loaded, "ask/code"), json={"index": 1}).status_code == 200


def test_a_map_of_before_is_not_drawn_with_the_points_of_now(
    client: TestClient, tiny: StoredModel, tiny_reference: Reference
):
    query = "projection=umap&x=0&y=1&colour=label"
    before = f"/live/models/tiny/{maps_version(tiny)}/map?{query}"
    assert client.get(before).status_code == 200
    replace(tiny_reference, umap_places=tiny_reference.umap_places + 1).save(tiny.folder / REFERENCE_FILE)
    refused = client.get(before)
    assert refused.status_code == 400
    assert refused.json()["code"] == "changed"
    now = client.get(f"/live/models/tiny/{maps_version(engine().load('tiny'))}/map?{query}")
    assert now.status_code == 200


def test_a_question_looks_the_model_up_once(tiny: StoredModel, monkeypatch: pytest.MonkeyPatch, client: TestClient):
    looked_up: list[str] = []
    load = Engine.load
    monkeypatch.setattr(Engine, "load", lambda self, name: looked_up.append(name) or load(self, name))
    client.post(address(tiny, "ask/neighbours"), json={"z": [0, 0, 0], "k": 3, "metric": "euclidean"})
    assert looked_up == ["tiny"]
    del looked_up[:]
    client.get(f"/live/models/tiny/{maps_version(tiny)}/map?projection=umap&x=0&y=1&colour=label")
    assert looked_up == ["tiny"]
    del looked_up[:]
    with client.websocket_connect(address(tiny, "socket")) as socket:
        for _ in range(2):
            socket.send_bytes(DECODE)
            socket.receive_bytes()
    assert looked_up == ["tiny"] * 3, "at the opening and for each question"
